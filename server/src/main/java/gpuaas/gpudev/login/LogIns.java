package gpuaas.gpudev.login;

import gpuaas.gpudev.login.LogInAnswer.Denied;
import gpuaas.gpudev.login.LogInAnswer.Visitor;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/**
 * All ways to log in, as the settings offer them. Each says who it is or why not; none throws. Safe
 * for many threads.
 */
public final class LogIns implements AutoCloseable {

  private final AwsLogIn aws;
  private final Optional<PresignedLogIn> presigned;
  private final Optional<OidcLogIn> oidc;
  private final Optional<String> localUser;
  private final Semaphore places;

  public LogIns(LogInSettings settings, InstantSource clock) {
    this.aws = new AwsLogIn(settings.aws());
    this.presigned =
        settings.presigned().map(offered -> new PresignedLogIn(offered, settings.aws(), clock));
    this.oidc = settings.oidc().map(offered -> new OidcLogIn(offered, clock));
    this.localUser = settings.localUser();
    this.places = new Semaphore(settings.atOnceMost());
  }

  /** By credentials of AWS. */
  public LogInAnswer byAws(AwsCredentials credentials) {
    return local().orElseGet(() -> within(() -> aws.visitor(credentials)));
  }

  /** By a request for GetCallerIdentity that was signed in advance. */
  public LogInAnswer byPresigned(PresignedRequest request) {
    return local()
        .or(() -> presigned.map(offered -> within(() -> offered.visitor(request))))
        .orElseGet(() -> new Denied(404, "Log-in by pre-signed requests is not enabled"));
  }

  /** By an OIDC token. */
  public LogInAnswer byOidc(String idToken) {
    return local()
        .or(() -> oidc.map(offered -> within(() -> offered.visitor(idToken))))
        .orElseGet(() -> new Denied(404, "OIDC authentication is not enabled"));
  }

  private Optional<LogInAnswer> local() {
    return localUser.map(name ->
        new Visitor(name, Optional.of("arn:aws:sts::000000000000:assumed-role/LocalDev/" + name)));
  }

  /** Waiting for others costs a thread and a connection each: only so many at once. */
  private LogInAnswer within(Supplier<LogInAnswer> logIn) {
    if (!places.tryAcquire()) {
      return new Denied(503, "Too many log-ins at once, try again in a moment");
    }
    try {
      return logIn.get();
    } finally {
      places.release();
    }
  }

  @Override
  public void close() {
    aws.close();
    presigned.ifPresent(PresignedLogIn::close);
    oidc.ifPresent(OidcLogIn::close);
  }
}
