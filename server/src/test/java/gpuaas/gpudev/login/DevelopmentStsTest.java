package gpuaas.gpudev.login;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class DevelopmentStsTest {

  private static final Instant NOW = Instant.parse("2026-01-31T23:59:59Z");
  private static final URI HERE = URI.create("http://127.0.0.1:8000/sts");
  private static final AwsCredentials STRANGER =
      new AwsCredentials("AKIANOBODYKNOWSTHIS0", "x".repeat(40), Optional.empty());

  private static DevelopmentSts.Answer answer(PresignedRequest request, Instant now)
      throws AwsSignature.Malformed {
    URI url = URI.create(request.url());
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("host", url.getAuthority());
    request.headers().forEach((name, value) -> headers.put(name.toLowerCase(Locale.ROOT), value));
    return new DevelopmentSts(List.of(DevelopmentSts.samplePair(), temporary()), () -> now)
        .handle(
            request.method(),
            url.getRawPath(),
            StsParameters.decoded(Optional.ofNullable(url.getRawQuery()).orElse("")),
            headers,
            request.body());
  }

  private static DevelopmentSts.KeyPair temporary() {
    return new DevelopmentSts.KeyPair(
        LogInFixtures.TEMPORARY, LogInFixtures.ARN, Optional.of(NOW.plusSeconds(60)));
  }

  private static PresignedRequest post(AwsCredentials credentials) {
    return AwsClient.post(credentials, HERE, "", AwsClient.IDENTITY, NOW);
  }

  private static PresignedRequest get(AwsCredentials credentials) {
    return AwsClient.get(credentials, HERE, "", AwsClient.IDENTITY, NOW);
  }

  private static String code(PresignedRequest request, Instant now) {
    DevelopmentSts.Answer answer;
    try {
      answer = answer(request, now);
    } catch (AwsSignature.Malformed e) {
      throw new AssertionError(e);
    }
    return switch (StsXml.read(answer.xml().getBytes(StandardCharsets.UTF_8)).orElseThrow()) {
      case StsXml.Said.Caller(String arn) -> answer.status() + " " + arn;
      case StsXml.Said.Failure(String code) -> answer.status() + " " + code;
    };
  }

  private static PresignedRequest with(
      PresignedRequest request, UnaryOperator<Map<String, String>> headers) {
    return new PresignedRequest(
        request.method(),
        request.url(),
        headers.apply(new HashMap<>(request.headers())),
        request.body());
  }

  private static UnaryOperator<Map<String, String>> put(String name, String value) {
    return headers -> {
      headers.put(name, value);
      return headers;
    };
  }

  @Test
  void signaturesOfTheSdkAreRight() {
    // in headers and in the query, with and without a session token, characters to encode among it
    for (AwsCredentials credentials : List.of(LogInFixtures.SAMPLE, LogInFixtures.TEMPORARY)) {
      assertThat(code(post(credentials), NOW)).isEqualTo("200 " + LogInFixtures.ARN);
      assertThat(code(get(credentials), NOW)).isEqualTo("200 " + LogInFixtures.ARN);
    }
  }

  @Test
  void whatIsNotAsItWasSignedIsRefused() {
    // body, path, query, signed header, time: each is part of what was signed
    PresignedRequest post = post(LogInFixtures.SAMPLE);
    PresignedRequest get = get(LogInFixtures.SAMPLE);
    List<PresignedRequest> changed =
        List.of(
            new PresignedRequest("POST", post.url(), post.headers(), post.body() + "&x=1"),
            new PresignedRequest("GET", post.url(), post.headers(), post.body()),
            new PresignedRequest("POST", post.url() + "/x", post.headers(), post.body()),
            new PresignedRequest("POST", post.url() + "?x=1", post.headers(), post.body()),
            with(post, put("Content-Type", "text/plain")),
            with(post, put("X-Amz-Date", "20260131T235958Z")),
            with(post, put("X-Amz-Meta", "not signed")),
            with(post, put("Host", "elsewhere")),
            new PresignedRequest("GET", get.url() + "&Action=Other", get.headers(), ""),
            new PresignedRequest(
                "GET", get.url().replace("Expires=900", "Expires=901"), get.headers(), ""));
    assertThat(changed)
        .allSatisfy(
            request -> assertThat(code(request, NOW)).isEqualTo("403 SignatureDoesNotMatch"));
    AwsCredentials wrong =
        new AwsCredentials(LogInFixtures.SAMPLE.accessKeyId(), "x".repeat(40), Optional.empty());
    assertThat(code(post(wrong), NOW)).isEqualTo("403 SignatureDoesNotMatch");
    assertThat(code(get(wrong), NOW)).isEqualTo("403 SignatureDoesNotMatch");
  }

  @Test
  void everyOtherMistakeHasItsCode() {
    // unknown key, no signature, broken signature, expired credentials, another action
    PresignedRequest post = post(LogInFixtures.SAMPLE);
    assertThat(code(post(STRANGER), NOW)).isEqualTo("403 InvalidClientTokenId");
    AwsCredentials otherToken =
        new AwsCredentials(
            LogInFixtures.TEMPORARY.accessKeyId(),
            LogInFixtures.TEMPORARY.secretAccessKey(),
            Optional.of("other"));
    assertThat(code(post(otherToken), NOW)).isEqualTo("403 InvalidClientTokenId");
    assertThat(code(new PresignedRequest("GET", HERE.toString(), Map.of(), ""), NOW))
        .isEqualTo("403 MissingAuthenticationToken");
    for (String broken :
        List.of(
            "",
            "Bearer x",
            "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=1",
            "AWS4-HMAC-SHA256 " + "Credential=".repeat(10_000))) {
      assertThat(code(with(post, put("Authorization", broken)), NOW))
          .isEqualTo("400 IncompleteSignature");
    }
    assertThat(code(with(post, put("X-Amz-Date", "yesterday")), NOW))
        .isEqualTo("400 IncompleteSignature");
    Instant later = NOW.plusSeconds(61);
    assertThat(code(post(LogInFixtures.TEMPORARY), later)).isEqualTo("403 ExpiredToken");
    for (String form :
        List.of(
            "Action=GetSessionToken&Version=2011-06-15", "", AwsClient.IDENTITY + "&Action=X")) {
      assertThat(code(AwsClient.post(LogInFixtures.SAMPLE, HERE, "", form, NOW), NOW))
          .isEqualTo("400 InvalidAction");
    }
  }

  @Test
  void clocksMayDifferByAQuarterOfAnHour() {
    // a signature counts so long, in both directions
    Duration most = Duration.ofMinutes(15);
    for (PresignedRequest request :
        List.of(post(LogInFixtures.SAMPLE), get(LogInFixtures.SAMPLE))) {
      assertThat(code(request, NOW.plus(most))).startsWith("200");
      assertThat(code(request, NOW.minus(most))).startsWith("200");
      assertThat(code(request, NOW.plus(most).plusSeconds(1)))
          .isEqualTo("403 SignatureDoesNotMatch");
      assertThat(code(request, NOW.minus(most).minusSeconds(1)))
          .isEqualTo("403 SignatureDoesNotMatch");
    }
  }

  @Test
  void curlIsAnswered() throws IOException, InterruptedException {
    // a client that is not the SDK: curl signs by itself
    DevelopmentSts sts = LogInFixtures.sts(InstantSource.system());
    try (DevelopmentStsListener listener = DevelopmentStsListener.start(sts, 0)) {
      String url = listener.endpoint().toString() + "/";
      String pair =
          LogInFixtures.SAMPLE.accessKeyId() + ":" + LogInFixtures.SAMPLE.secretAccessKey();
      assertThat(curl(url, pair, AwsClient.IDENTITY))
          .contains("<Arn>" + LogInFixtures.ARN + "</Arn>")
          .contains("<Account>000000000000</Account>");
      assertThat(curl(url, pair + "x", AwsClient.IDENTITY)).contains("SignatureDoesNotMatch");
      assertThat(curl(url, pair, "x".repeat(70_000))).contains("413");
    }
  }

  private static String curl(String url, String pair, String form)
      throws IOException, InterruptedException {
    Process curl =
        new ProcessBuilder(
                "curl",
                "-sS",
                "-w",
                " %{http_code}",
                "--max-time",
                "20",
                "--aws-sigv4",
                "aws:amz:us-east-1:sts",
                "--user",
                pair,
                "--data-binary",
                "@-",
                url)
            .redirectErrorStream(true)
            .start();
    try (var in = curl.getOutputStream()) {
      in.write(form.getBytes(StandardCharsets.UTF_8));
    }
    String said = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(curl.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return said;
  }
}
