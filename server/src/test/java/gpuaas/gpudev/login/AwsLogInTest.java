package gpuaas.gpudev.login;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import gpuaas.gpudev.login.LogInAnswer.Denied;
import gpuaas.gpudev.login.LogInAnswer.Visitor;
import java.io.IOException;
import java.net.URI;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class AwsLogInTest {

  private static final Denied UNVERIFIED = new Denied(500, "Failed to verify AWS credentials");
  private static final Denied INVALID = new Denied(401, "Invalid AWS credentials");

  private static LogInAnswer ask(LogInSettings.Aws settings, AwsCredentials credentials) {
    try (AwsLogIn logIn = new AwsLogIn(settings)) {
      return logIn.visitor(credentials);
    }
  }

  private static LogInAnswer askDevelopmentSts(AwsCredentials credentials) throws IOException {
    try (DevelopmentStsListener sts =
        DevelopmentStsListener.start(LogInFixtures.sts(InstantSource.system()), 0)) {
      return ask(LogInFixtures.patient(sts.endpoint()), credentials);
    }
  }

  private static AwsCredentials with(String id, String secret, String token) {
    return new AwsCredentials(id, secret, Optional.ofNullable(token));
  }

  @Test
  void whoeverHasTheSecretIsWhoStsSays() throws IOException {
    // the SDK signs, the development STS checks: two implementations agree
    assertThat(askDevelopmentSts(LogInFixtures.SAMPLE))
        .isEqualTo(new Visitor("dev-user", Optional.of(LogInFixtures.ARN)));
    assertThat(askDevelopmentSts(LogInFixtures.TEMPORARY))
        .isInstanceOfSatisfying(
            Visitor.class,
            visitor -> assertThat(visitor.username()).isEqualTo("jo.doe-example.com"));
    AwsCredentials blankToken =
        with(LogInFixtures.SAMPLE.accessKeyId(), LogInFixtures.SAMPLE.secretAccessKey(), "");
    assertThat(askDevelopmentSts(blankToken)).isInstanceOf(Visitor.class);
  }

  @Test
  void eachRefusalOfStsHasItsText() throws IOException {
    // the texts of the contract, by the codes that STS answers with
    String id = LogInFixtures.SAMPLE.accessKeyId();
    assertThat(askDevelopmentSts(with(id, "x".repeat(40), null)))
        .isEqualTo(new Denied(401, "AWS signature verification failed"));
    assertThat(askDevelopmentSts(with("AKIANOBODYKNOWSTHIS0", "x".repeat(40), null)))
        .isEqualTo(INVALID);
    assertThat(askDevelopmentSts(LogInFixtures.EXPIRED))
        .isEqualTo(new Denied(401, "AWS authentication failed: ExpiredToken"));
    assertThat(
            askDevelopmentSts(
                with(
                    LogInFixtures.TEMPORARY.accessKeyId(),
                    LogInFixtures.TEMPORARY.secretAccessKey(),
                    "another".repeat(20))))
        .isEqualTo(INVALID);
  }

  @Test
  void credentialsThatAwsNeverGaveOutAreNotSent() throws IOException {
    // header injection, other scripts, and sizes that nobody has end here
    String good = LogInFixtures.SAMPLE.secretAccessKey();
    String id = LogInFixtures.SAMPLE.accessKeyId();
    List<AwsCredentials> hostile =
        List.of(
            with(id, "s".repeat(100_000), null),
            with("A".repeat(100_000), good, null),
            with(id, good, "t".repeat(100_000)),
            with(id + "\r\nX-Evil: 1", good, null),
            with(id, good, "token\r\nHost: elsewhere"),
            with(id, good, "token\u0000"),
            with("AKIA/../../20260101/x", good, null),
            with("\u0410KIAIOSFODNN7EXAMPLE", good, null),
            with(id, "\uD83D\uDD11".repeat(20), null),
            with("", "", null));
    try (ScriptedSts sts = new ScriptedSts(ScriptedSts.answering(200, "text/xml", "<x/>"))) {
      for (AwsCredentials credentials : hostile) {
        assertThat(ask(LogInFixtures.impatient(sts.endpoint()), credentials)).isEqualTo(INVALID);
      }
      assertThat(sts.received()).isEmpty();
    }
  }

  @Test
  void anStsThatIsNotWellLetsNobodyIn() throws IOException {
    // silent, resetting, dripping, speaking HTML, endless, of two minds, or with a document type
    String caller = StsXml.caller(LogInFixtures.ARN, "u", "000000000000", "r");
    String failure = StsXml.failure("InvalidClientTokenId", "no", "r");
    String html = "<html><body>captive portal</body></html>";
    String bomb =
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/hostname\">]>"
            + caller.replace("dev-user", "&x;");
    Map<String, ScriptedSts.Script> scripts =
        Map.of(
            "hangs", ScriptedSts.hanging(),
            "resets", ScriptedSts.resetting(),
            "drips", ScriptedSts.dripping(),
            "HTML 200", ScriptedSts.answering(200, "text/html", html),
            "HTML 502", ScriptedSts.answering(502, "text/html", html),
            "10 MB",
                ScriptedSts.answering(
                    200, "text/xml", caller.replace("<Arn>", " ".repeat(10_000_000) + "<Arn>")),
            "10 MB of no", ScriptedSts.answering(403, "text/xml", failure + " ".repeat(10_000_000)),
            "200 with an error", ScriptedSts.answering(200, "text/xml", failure),
            "entities", ScriptedSts.answering(200, "text/xml", bomb),
            "empty", ScriptedSts.answering(200, "text/xml", ""));
    for (Map.Entry<String, ScriptedSts.Script> script : scripts.entrySet()) {
      try (ScriptedSts sts = new ScriptedSts(script.getValue())) {
        assertThat(ask(LogInFixtures.impatient(sts.endpoint()), LogInFixtures.SAMPLE))
            .as(script.getKey())
            .isEqualTo(UNVERIFIED);
      }
    }
    assertThat(ask(LogInFixtures.impatient(URI.create("http://127.0.0.1:1")), LogInFixtures.SAMPLE))
        .isEqualTo(UNVERIFIED);
  }

  @Test
  void aRedirectIsNotFollowed() throws IOException {
    // else whoever answers for STS could have the signed request sent elsewhere
    try (ScriptedSts other = new ScriptedSts(ScriptedSts.answering(200, "text/xml", "<x/>"));
        ScriptedSts sts =
            new ScriptedSts(connection -> {
              connection
                  .getOutputStream()
                  .write(
                      ("HTTP/1.1 307 x\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n"
                              .formatted(other.endpoint()))
                          .getBytes());
              connection.close();
            })) {
      assertThat(ask(LogInFixtures.impatient(sts.endpoint()), LogInFixtures.SAMPLE))
          .isEqualTo(UNVERIFIED);
      assertThat(sts.received()).isNotEmpty();
      assertThat(other.received()).isEmpty();
    }
  }

  @Test
  void anUnreachableStsIsTriedAsOftenAsTheSettingsSay() throws IOException {
    // two attempts, not more
    try (ScriptedSts sts = new ScriptedSts(ScriptedSts.answering(503, "text/html", "busy"))) {
      ask(LogInFixtures.impatient(sts.endpoint()), LogInFixtures.SAMPLE);
      assertThat(sts.received()).hasSize(2);
    }
  }

  @Test
  void onlyTheWholeNameOfAnAllowedRoleCounts() {
    // roles that contain, begin with or hide the allowed one do not let in
    AwsRules rules = new AwsRules(LogInSettings.Aws.defaults());
    Map<String, String> got =
        Map.of(
            "arn:aws:sts::1:assumed-role/x/y", "",
            "arn:aws:sts::123456789012:assumed-role/Other/jo", "Other",
            "arn:aws:sts::123456789012:assumed-role/SSOCloudDevGpuReservation2/jo",
                "SSOCloudDevGpuReservation2",
            "arn:aws:sts::123456789012:assumed-role/Other/SSOCloudDevGpuReservation", "Other",
            "arn:aws:iam::123456789012:user/SSOCloudDevGpuReservation", "none",
            "arn:aws:iam::123456789012:root", "none",
            "arn:aws:sts::123456789012:federated-user/SSOCloudDevGpuReservation", "none",
            "arn:aws:iam::123456789012:role/SSOCloudDevGpuReservation/Other", "Other");
    got.forEach((arn, role) ->
        assertThat(rules.visitor(arn))
            .as(arn)
            .isEqualTo(
                role.isEmpty()
                    ? UNVERIFIED
                    : new Denied(
                        403,
                        "Access denied. Required role: SSOCloudDevGpuReservation, got: " + role)));
    assertThat(rules.visitor("arn:aws:iam::123456789012:role/path/SSOCloudDevGpuReservation"))
        .isInstanceOf(Visitor.class);
  }

  @Test
  void accountsCanBeNamed() {
    // anybody can make a role of the right name in an account of their own
    LogInSettings.Aws any = LogInSettings.Aws.defaults();
    AwsRules rules =
        new AwsRules(
            new LogInSettings.Aws(
                Optional.empty(),
                any.region(),
                1,
                any.connectLimit(),
                any.readLimit(),
                any.callLimit(),
                any.answerBytesMost(),
                Set.of("A", "B"),
                Set.of("123456789012")));
    assertThat(rules.visitor("arn:aws:sts::123456789012:assumed-role/B/jo"))
        .isInstanceOf(Visitor.class);
    assertThat(rules.visitor("arn:aws:sts::999999999999:assumed-role/B/jo"))
        .isEqualTo(new Denied(403, "Access denied. The AWS account 999999999999 is not allowed"));
    assertThat(rules.visitor("arn:aws:sts::123456789012:assumed-role/C/jo"))
        .isEqualTo(new Denied(403, "Access denied. Required role: A, B, got: C"));
  }

  @Test
  void usernamesAreTheLastPartOfTheName() {
    // other characters become hyphens; 255 at most
    AwsRules rules = new AwsRules(LogInSettings.Aws.defaults());
    String prefix = "arn:aws:sts::123456789012:assumed-role/SSOCloudDevGpuReservation/";
    Map.of("jo.doe_1-x", "jo.doe_1-x", "jo@b.org", "jo-b.org", "a=b,c+d", "a-b-c-d")
        .forEach((session, name) ->
            assertThat(rules.visitor(prefix + session))
                .isEqualTo(new Visitor(name, Optional.of(prefix + session))));
    assertThat(Usernames.clean("x".repeat(300))).contains("x".repeat(255));
    assertThat(Usernames.clean("j\u00f6\n")).contains("j--");
    assertThat(rules.visitor(prefix)).isEqualTo(UNVERIFIED);
  }

  @Test
  void noSecretIsLogged() throws IOException {
    // at the most talkative level, in good luck and bad
    Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    ListAppender<ILoggingEvent> logged = new ListAppender<>();
    logged.start();
    Level before = root.getLevel();
    root.addAppender(logged);
    root.setLevel(Level.TRACE);
    AtomicReference<LogInAnswer> last = new AtomicReference<>();
    try {
      for (ScriptedSts.Script script :
          List.of(
              ScriptedSts.resetting(),
              ScriptedSts.hanging(),
              ScriptedSts.answering(200, "text/html", "<html>"))) {
        try (ScriptedSts sts = new ScriptedSts(script)) {
          last.set(ask(LogInFixtures.impatient(sts.endpoint()), LogInFixtures.TEMPORARY));
        }
      }
      askDevelopmentSts(LogInFixtures.TEMPORARY);
      LoggerFactory.getLogger("test").info("{}", LogInFixtures.TEMPORARY);
    } finally {
      root.setLevel(before);
      root.detachAppender(logged);
    }
    assertThat(logged.list).isNotEmpty();
    String all =
        logged.list.stream()
            .map(event -> event.getFormattedMessage() + " " + throwableText(event))
            .reduce("", String::concat);
    assertThat(all)
        .contains("STS did not verify credentials")
        .contains("AwsCredentials[ASIA***]")
        .doesNotContain(LogInFixtures.TEMPORARY.secretAccessKey())
        .doesNotContain(LogInFixtures.TEMPORARY.accessKeyId())
        .doesNotContain(LogInFixtures.TEMPORARY.sessionToken().orElseThrow());
    assertThat(last.get()).isEqualTo(UNVERIFIED);
  }

  private static String throwableText(ILoggingEvent event) {
    return event.getThrowableProxy() == null ? "" : event.getThrowableProxy().getMessage();
  }

  @Test
  void oneClientServesMany() throws Exception {
    // credentials of one call are never those of another
    try (DevelopmentStsListener sts =
            DevelopmentStsListener.start(LogInFixtures.sts(InstantSource.system()), 0);
        AwsLogIn logIn = new AwsLogIn(LogInFixtures.patient(sts.endpoint()));
        var threads = java.util.concurrent.Executors.newVirtualThreadPerTaskExecutor()) {
      var answers =
          java.util.stream.IntStream.range(0, 200)
              .mapToObj(i ->
                  threads.submit(() ->
                      logIn.visitor(i % 2 == 0 ? LogInFixtures.SAMPLE : LogInFixtures.TEMPORARY)))
              .toList();
      for (int i = 0; i < answers.size(); i++) {
        String name = i % 2 == 0 ? "dev-user" : "jo.doe-example.com";
        assertThat(answers.get(i).get())
            .isInstanceOfSatisfying(
                Visitor.class, visitor -> assertThat(visitor.username()).isEqualTo(name));
      }
    }
  }
}
