package gpuaas.gpudev.login;

import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the tests of the log-in share. */
final class LogInFixtures {

  static final String ROLE = "SSOCloudDevGpuReservation";
  static final String ARN =
      "arn:aws:sts::000000000000:assumed-role/SSOCloudDevGpuReservation/dev-user";
  static final AwsCredentials SAMPLE = DevelopmentSts.samplePair().credentials();
  static final AwsCredentials TEMPORARY =
      new AwsCredentials(
          "ASIATEMPORARYEXAMPLE",
          "temporary/secret+of0forty0characters0000",
          Optional.of("token+/=" + "abc123".repeat(60)));
  static final AwsCredentials EXPIRED =
      new AwsCredentials(
          "ASIAEXPIREDEXAMPLE00",
          "expired/secret+of0forty0characters000000",
          Optional.of("expired-token".repeat(10)));

  private LogInFixtures() {}

  static DevelopmentSts sts(InstantSource clock) {
    return new DevelopmentSts(
        List.of(
            DevelopmentSts.samplePair(),
            new DevelopmentSts.KeyPair(
                TEMPORARY,
                "arn:aws:sts::111122223333:assumed-role/" + ROLE + "/jo.doe@example.com",
                Optional.empty()),
            new DevelopmentSts.KeyPair(EXPIRED, ARN, Optional.of(clock.instant().minusSeconds(1)))),
        clock);
  }

  /** Impatient, so that tests of bad luck are short. */
  static LogInSettings.Aws impatient(URI endpoint) {
    return new LogInSettings.Aws(
        Optional.of(endpoint),
        "us-east-1",
        2,
        Duration.ofMillis(500),
        Duration.ofMillis(300),
        Duration.ofSeconds(3),
        64 * 1024,
        Set.of(ROLE),
        Set.of());
  }

  static LogInSettings.Aws patient(URI endpoint) {
    return LogInSettings.Aws.defaults().withStsEndpoint(endpoint);
  }
}
