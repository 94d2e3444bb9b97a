package gpuaas.gpudev.login;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.gpudev.login.LogInAnswer.Denied;
import gpuaas.gpudev.login.LogInAnswer.Visitor;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PresignedLogInTest {

  private static final String SERVER = "gpus.example.org";
  private static final Instant NOW = Instant.parse("2026-01-31T12:00:00Z");
  private static final LogInSettings.Presigned SETTINGS =
      LogInSettings.Presigned.of(SERVER, "us-east-1");
  private static final Denied UNVERIFIED = new Denied(500, "Failed to verify AWS credentials");
  private static final Denied EXPIRED = new Denied(401, "The pre-signed request has expired");

  private static LogInAnswer ask(URI endpoint, Instant now, PresignedRequest request) {
    try (PresignedLogIn logIn =
        new PresignedLogIn(SETTINGS, LogInFixtures.impatient(endpoint), () -> now)) {
      return logIn.visitor(request);
    }
  }

  private static PresignedRequest post(URI sts) {
    return AwsClient.post(LogInFixtures.TEMPORARY, sts, SERVER, AwsClient.IDENTITY, NOW);
  }

  private static PresignedRequest get(URI sts) {
    return AwsClient.get(LogInFixtures.TEMPORARY, sts, SERVER, AwsClient.IDENTITY, NOW);
  }

  private static DevelopmentStsListener sts() throws IOException {
    return DevelopmentStsListener.start(LogInFixtures.sts(InstantSource.fixed(NOW)), 0);
  }

  @Test
  void whoeverSignedItIsWhoStsSays() throws IOException {
    // a signature in headers, as Vault's clients make, and one in a query, as those of EKS
    try (DevelopmentStsListener sts = sts()) {
      for (PresignedRequest request : List.of(post(sts.endpoint()), get(sts.endpoint()))) {
        assertThat(ask(sts.endpoint(), NOW, request))
            .isInstanceOfSatisfying(
                Visitor.class,
                visitor -> assertThat(visitor.username()).isEqualTo("jo.doe-example.com"));
      }
      URI deeper = sts.endpoint().resolve("/development/sts");
      for (PresignedRequest request :
          List.of(post(deeper), get(deeper), post(URI.create(deeper + "/")))) {
        assertThat(ask(deeper, NOW, request)).isInstanceOf(Visitor.class);
      }
      assertThat(post(sts.endpoint())).hasToString("PresignedRequest[***]");
      PresignedRequest wrong =
          AwsClient.post(
              new AwsCredentials(
                  LogInFixtures.SAMPLE.accessKeyId(), "x".repeat(40), Optional.empty()),
              sts.endpoint(),
              SERVER,
              AwsClient.IDENTITY,
              NOW);
      assertThat(ask(sts.endpoint(), NOW, wrong))
          .isEqualTo(new Denied(401, "AWS signature verification failed"));
    }
  }

  @Test
  void whatWasSignedForAnotherServerIsOfNoUseHere() throws IOException {
    // the binding header must be there, signed, and name this server
    try (ScriptedSts sts = new ScriptedSts(ScriptedSts.hanging())) {
      URI at = sts.endpoint();
      PresignedRequest unbound =
          AwsClient.post(LogInFixtures.SAMPLE, at, "", AwsClient.IDENTITY, NOW);
      Map<String, String> added = new HashMap<>(unbound.headers());
      added.put("X-GPUaaS-Server", SERVER);
      Stream.of(
              unbound,
              new PresignedRequest("POST", unbound.url(), added, unbound.body()),
              AwsClient.post(LogInFixtures.SAMPLE, at, "other", AwsClient.IDENTITY, NOW),
              AwsClient.get(LogInFixtures.SAMPLE, at, "other", AwsClient.IDENTITY, NOW))
          .forEach(request ->
              assertThat(ask(at, NOW, request))
                  .isInstanceOfSatisfying(
                      Denied.class,
                      denied -> {
                        assertThat(denied.status()).isEqualTo(401);
                        assertThat(denied.detail()).contains("not for this server");
                      }));
      assertThat(sts.received()).isEmpty();
    }
  }

  @Test
  void anOldOneIsRefusedUnasked() throws IOException {
    // a replay beyond its time, one from the future, and one whose own lifetime is over
    try (ScriptedSts sts = new ScriptedSts(ScriptedSts.hanging())) {
      Duration most = SETTINGS.ageMost();
      for (PresignedRequest request : List.of(post(sts.endpoint()), get(sts.endpoint()))) {
        for (Instant now :
            List.of(NOW.plus(most).plusSeconds(1), NOW.minus(most).minusSeconds(1))) {
          assertThat(ask(sts.endpoint(), now, request)).isEqualTo(EXPIRED);
        }
      }
      PresignedRequest get = get(sts.endpoint());
      PresignedRequest shortLived =
          new PresignedRequest(
              "GET", get.url().replace("X-Amz-Expires=900", "X-Amz-Expires=60"), get.headers(), "");
      assertThat(shortLived.url()).contains("Expires=60");
      assertThat(ask(sts.endpoint(), NOW.plusSeconds(61), shortLived)).isEqualTo(EXPIRED);
      assertThat(sts.received()).isEmpty();
    }
  }

  @Test
  void nobodyChoosesWhereItIsSent() throws IOException {
    // the addresses of other machines, disguised as one that is allowed
    try (ScriptedSts sts = new ScriptedSts(ScriptedSts.hanging());
        ScriptedSts other = new ScriptedSts(ScriptedSts.hanging())) {
      int port = other.endpoint().getPort();
      String good = sts.endpoint().toString();
      Stream.of(
              other.endpoint().toString(),
              "http://127.0.0.1/",
              "http://169.254.169.254/latest/meta-data/",
              "http://sts.amazonaws.com/",
              "https://sts.amazonaws.com:8443/",
              "https://sts.amazonaws.com.evil.org/",
              "https://sts.amazonaws.com@127.0.0.1:" + port + "/",
              "https://user:pass@sts.amazonaws.com/",
              "https://evil.org#@sts.amazonaws.com/",
              "https://sts.amazonaws.com\\@127.0.0.1:" + port + "/",
              "https://sts.amazonaws.com%00.evil.org/",
              "https://sts.\u0430mazonaws.com/",
              "https://s3.amazonaws.com/",
              "file:///etc/passwd",
              "//sts.amazonaws.com/",
              "https:sts.amazonaws.com",
              "",
              "x",
              good + "/../other",
              good + "/%2e%2e/other",
              good + "//",
              good + "/;x",
              good + "/#fragment",
              good + "/\r\nHost: evil.org",
              good.replace("127.0.0.1", "127.1"),
              good.replace("127.0.0.1", "2130706433"),
              "https://" + "a".repeat(100_000) + ".org/")
          .forEach(url -> {
            PresignedRequest request =
                new PresignedRequest(
                    "POST", url, post(sts.endpoint()).headers(), AwsClient.IDENTITY);
            assertThat(ask(sts.endpoint(), NOW, request))
                .as(url.length() > 200 ? "long" : url)
                .isInstanceOfSatisfying(
                    Denied.class, denied -> assertThat(denied.status()).isEqualTo(400));
          });
      assertThat(sts.received()).isEmpty();
      assertThat(other.received()).isEmpty();
    }
  }

  @Test
  void theAddressesOfAwsAreAllowed() throws AwsSignature.Malformed {
    // by https, with or without the port and the last slash, in any case
    PresignedRules rules = new PresignedRules(SETTINGS.allowedHosts(), Optional.empty());
    for (String url :
        List.of(
            "https://sts.amazonaws.com",
            "https://sts.us-east-1.amazonaws.com/",
            "HTTPS://STS.amazonaws.com:443/".replace("HTTPS", "https"))) {
      PresignedRequest signed = post(URI.create("https://sts.amazonaws.com"));
      Map<String, String> headers = new HashMap<>(signed.headers());
      headers.remove("Host");
      PresignedRules.Checked checked =
          rules.checked(new PresignedRequest("POST", url, headers, signed.body()));
      assertThat(checked.address().getScheme()).isEqualTo("https");
      assertThat(checked.address().getHost()).startsWith("sts.").endsWith(".amazonaws.com");
      assertThat(checked.toForward()).containsKey("x-gpuaas-server").doesNotContainKey("host");
    }
  }

  private record Mutation(String what, Consumer<Parts> change) {}

  private static final class Parts {
    String method = "POST";
    String url = "";
    Map<String, String> headers = Map.of();
    String body = "";
  }

  @Test
  void nothingElseThanGetCallerIdentityIsSent() throws IOException {
    // other actions, hidden or doubled; headers that change the meaning; sizes; broken signatures
    List<Mutation> mutations =
        List.of(
            new Mutation("other action", p -> p.body = "Action=AssumeRole&Version=2011-06-15"),
            new Mutation("two actions", p -> p.body += "&Action=AssumeRole"),
            new Mutation("first another", p -> p.body = "Action=AssumeRole&" + p.body),
            new Mutation("lower case", p -> p.body += "&action=AssumeRole"),
            new Mutation("encoded name", p -> p.body += "&%41ction=AssumeRole"),
            new Mutation("in the query", p -> p.url += "/?Action=AssumeRole"),
            new Mutation("same in the query", p -> p.url += "/?Action=GetCallerIdentity"),
            new Mutation(
                "hidden among many", p -> p.url += "/?Action=AssumeRole" + "&a=b".repeat(60)),
            new Mutation("split", p -> p.url += "/?X-Amz-Date=x;Action=AssumeRole"),
            new Mutation("no version", p -> p.body = "Action=GetCallerIdentity"),
            new Mutation("another parameter", p -> p.body += "&RoleArn=x"),
            new Mutation("semicolons", p -> p.body += ";Action=AssumeRole"),
            new Mutation("not decodable", p -> p.body += "&x=%zz"),
            new Mutation("many", p -> p.body += "&a=b".repeat(200)),
            new Mutation("long body", p -> p.body += "&x=" + "y".repeat(100_000)),
            new Mutation("empty", p -> p.body = ""),
            new Mutation("PUT", p -> p.method = "PUT"),
            new Mutation("smuggled method", p -> p.method = "POST / HTTP/1.1\r\nX: "),
            new Mutation("GET with body", p -> p.method = "GET"),
            new Mutation("JSON type", p -> p.headers.put("Content-Type", "application/json")),
            new Mutation("accepts JSON", p -> p.headers.put("Accept", "application/json")),
            new Mutation("other host", p -> p.headers.put("Host", "evil.org")),
            new Mutation("host twice", p -> p.headers.put("hOST", "evil.org")),
            new Mutation("chunks", p -> p.headers.put("Transfer-Encoding", "chunked")),
            new Mutation("length", p -> p.headers.put("Content-Length", "3")),
            new Mutation("injection", p -> p.headers.put("X-Amz-Date", "x\r\nHost: evil.org")),
            new Mutation("injected name", p -> p.headers.put("X-A: b\r\nX-C", "d")),
            new Mutation("unicode", p -> p.headers.put("User-Agent", "\uD83D\uDD11")),
            new Mutation("override", p -> p.headers.put("X-HTTP-Method-Override", "DELETE")),
            new Mutation("long", p -> p.headers.put("User-Agent", "x".repeat(100_000))),
            new Mutation("unsigned", p -> p.headers.remove("Authorization")),
            new Mutation("signed missing", p -> p.headers.remove("x-amz-content-sha256")),
            new Mutation("basic", p -> p.headers.put("Authorization", "Basic eDp5")),
            new Mutation(
                "for S3",
                p ->
                    p.headers.computeIfPresent(
                        "Authorization", (_, value) -> value.replace("/sts/", "/s3/"))),
            new Mutation(
                "many headers",
                p ->
                    java.util.stream.IntStream.range(0, 100)
                        .forEach(i -> p.headers.put("X-" + i, "y"))));
    try (ScriptedSts sts = new ScriptedSts(ScriptedSts.hanging())) {
      for (Mutation mutation : mutations) {
        PresignedRequest signed = post(sts.endpoint());
        Parts parts = new Parts();
        parts.url = signed.url();
        parts.headers = new HashMap<>(signed.headers());
        parts.body = signed.body();
        mutation.change().accept(parts);
        PresignedRequest changed =
            new PresignedRequest(parts.method, parts.url, parts.headers, parts.body);
        assertThat(ask(sts.endpoint(), NOW, changed))
            .as(mutation.what())
            .isInstanceOfSatisfying(
                Denied.class,
                denied -> {
                  assertThat(denied.status()).isEqualTo(400);
                  assertThat(denied.detail())
                      .startsWith("Invalid pre-signed request: ")
                      .hasSizeLessThan(250)
                      .doesNotContain("\r")
                      .doesNotContain(LogInFixtures.TEMPORARY.sessionToken().orElseThrow());
                });
      }
      assertThat(sts.received()).isEmpty();
    }
  }

  @Test
  void whatIsNotSignedIsNotSent() throws IOException {
    // of what may be there; the address, the host and the length are ours
    try (ScriptedSts sts = new ScriptedSts(ScriptedSts.answering(500, "text/html", "x"))) {
      PresignedRequest signed = post(sts.endpoint());
      Map<String, String> headers = new HashMap<>(signed.headers());
      headers.put("User-Agent", "unsigned-agent");
      ask(
          sts.endpoint(),
          NOW,
          new PresignedRequest(signed.method(), signed.url(), headers, signed.body()));
      assertThat(sts.received())
          .singleElement()
          .satisfies(sent ->
              assertThat(sent.toLowerCase(java.util.Locale.ROOT))
                  .startsWith("post / http/1.1")
                  .contains("x-gpuaas-server: " + SERVER)
                  .doesNotContain("unsigned-agent")
                  .endsWith("action=getcalleridentity&version=2011-06-15"));
    }
  }

  @Test
  void anStsThatIsNotWellLetsNobodyIn() throws IOException {
    // silent, resetting, dripping, HTML, endless, of two minds, entities, redirecting, other XML
    String caller = StsXml.caller(LogInFixtures.ARN, "u", "000000000000", "r");
    String failure = StsXml.failure("ExpiredToken", "no", "r");
    String bomb = "<!DOCTYPE a [<!ENTITY x \"y\">]>" + caller;
    try (ScriptedSts elsewhere = new ScriptedSts(ScriptedSts.answering(200, "text/xml", caller))) {
      ScriptedSts.Script redirecting =
          connection -> {
            connection
                .getOutputStream()
                .write(
                    "HTTP/1.1 302 x\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
                        .formatted(elsewhere.endpoint())
                        .getBytes());
            connection.close();
          };
      Map<String, ScriptedSts.Script> scripts = new HashMap<>();
      scripts.put("hangs", ScriptedSts.hanging());
      scripts.put("resets", ScriptedSts.resetting());
      scripts.put("drips", ScriptedSts.dripping());
      scripts.put("redirects", redirecting);
      for (String body :
          List.of(
              "<html><body>captive portal</body></html>",
              "{\"Arn\": \"x\"}",
              "",
              failure,
              bomb,
              caller + " ".repeat(10_000_000),
              caller.replace("https://sts", "https://other"),
              "<a>" + caller + "</a>",
              caller.replace("</Arn>", "</Arn><Arn>" + LogInFixtures.ARN + "</Arn>"),
              "<a>".repeat(15_000))) {
        scripts.put(
            body.substring(0, Math.min(60, body.length())) + body.length(),
            ScriptedSts.answering(200, "text/xml", body));
      }
      scripts.put("a caller with 500", ScriptedSts.answering(500, "text/xml", caller));
      for (Map.Entry<String, ScriptedSts.Script> script : scripts.entrySet()) {
        try (ScriptedSts sts = new ScriptedSts(script.getValue())) {
          assertThat(ask(sts.endpoint(), NOW, post(sts.endpoint())))
              .as(script.getKey())
              .isEqualTo(UNVERIFIED);
          assertThat(sts.received()).as(script.getKey()).hasSize(1);
        }
      }
      assertThat(elsewhere.received()).isEmpty();
      try (ScriptedSts sts = new ScriptedSts(ScriptedSts.answering(403, "text/xml", failure))) {
        assertThat(ask(sts.endpoint(), NOW, post(sts.endpoint())))
            .isEqualTo(new Denied(401, "AWS authentication failed: ExpiredToken"));
      }
    }
  }

  @Test
  void settingsThatWouldTrustAnybodyAreRefused() {
    // plain http beyond this machine, addresses with users or queries, hosts with ports
    for (String uri :
        List.of("http://sts.amazonaws.com", "ftp://127.0.0.1", "https://u@x.org", "https://x/?y")) {
      org.assertj.core.api.Assertions.assertThatIllegalArgumentException()
          .isThrownBy(() -> LogInFixtures.patient(URI.create(uri)));
    }
    org.assertj.core.api.Assertions.assertThatIllegalArgumentException()
        .isThrownBy(
            () -> new LogInSettings.Presigned(SERVER, Set.of("x.org:1"), Duration.ofMinutes(1)));
    assertThat(LogInFixtures.patient(URI.create("http://[::1]:80")).stsEndpoint()).isPresent();
  }
}
