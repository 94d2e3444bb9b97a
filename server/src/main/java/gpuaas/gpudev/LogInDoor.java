package gpuaas.gpudev;

import gpuaas.gpudev.login.DevelopmentSts;
import gpuaas.gpudev.login.DevelopmentStsListener;
import gpuaas.gpudev.login.LogInSettings;
import gpuaas.gpudev.login.LogIns;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/**
 * How people come in, and who they are here. In development a built-in STS on loopback vouches for
 * our own development user, so that the documents' script works without AWS.
 */
public final class LogInDoor implements AutoCloseable {

  private static final String AWS = "aws";
  private static final String OIDC = "oidc";
  private static final String LOCAL = "local";

  private final LogIns logIns;
  private final Settings settings;
  private final Optional<DevelopmentStsListener> sts;

  /**
   * @param logIn what is asked of whom
   * @param awsOffered false: nobody said whose AWS accounts may come
   * @param builtInSts true: our own STS is asked, which vouches for the development user
   */
  public record Settings(LogInSettings logIn, boolean awsOffered, boolean builtInSts) {}

  private LogInDoor(LogIns logIns, Settings settings, Optional<DevelopmentStsListener> sts) {
    this.logIns = logIns;
    this.settings = settings;
    this.sts = sts;
  }

  /** Opens it; asks nobody yet. */
  public static LogInDoor open(Settings settings, InstantSource clock) throws IOException {
    if (!settings.builtInSts()) {
      return new LogInDoor(new LogIns(settings.logIn(), clock), settings, Optional.empty());
    }
    DevelopmentStsListener sts =
        DevelopmentStsListener.start(
            new DevelopmentSts(List.of(DevelopmentSts.samplePair()), clock), 0);
    LogInSettings own =
        new LogInSettings(
            settings.logIn().aws().withStsEndpoint(sts.endpoint()),
            settings.logIn().presigned(),
            settings.logIn().oidc(),
            settings.logIn().localUser(),
            settings.logIn().atOnceMost());
    return new LogInDoor(new LogIns(own, clock), settings, Optional.of(sts));
  }

  LogIns logIns() {
    return logIns;
  }

  boolean awsOffered() {
    return settings.awsOffered() || settings.logIn().localUser().isPresent();
  }

  /**
   * Who somebody of this name is; the same name by another way is somebody else. Empty: they are
   * disabled here.
   */
  Optional<Person> person(Identities identities, String username, boolean byOidc) {
    if (settings.logIn().localUser().isPresent()) {
      return ours(identities, username, LOCAL);
    }
    if (byOidc) {
      return identities.enter(OIDC, username);
    }
    return settings.builtInSts()
        ? ours(identities, username, LOCAL)
        : identities.enter(AWS, username);
  }

  private static Optional<Person> ours(Identities identities, String username, String issuer) {
    return identities.findByName(username).or(() -> identities.enter(issuer, username));
  }

  @Override
  public void close() {
    logIns.close();
    sts.ifPresent(DevelopmentStsListener::close);
  }
}
