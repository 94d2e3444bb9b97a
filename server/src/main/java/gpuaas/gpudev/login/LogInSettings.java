package gpuaas.gpudev.login;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * How people log in. {@link #defaults} is what the original does: AWS only.
 *
 * @param presigned log-in by a request signed in advance; not offered when empty
 * @param oidc log-in by an OIDC token; not offered when empty
 * @param localUser whoever logs in, in any way, is this user: for development on one's own machine
 * @param atOnceMost log-ins in progress; more are told to come back
 */
public record LogInSettings(
    Aws aws,
    Optional<Presigned> presigned,
    Optional<Oidc> oidc,
    Optional<String> localUser,
    int atOnceMost) {

  private static final int AT_ONCE_MOST = 64;

  public LogInSettings {
    if (localUser.isPresent() && !localUser.get().matches("[A-Za-z0-9._-]{1,255}")) {
      throw new IllegalArgumentException(
          "the local user must be letters, digits, '.', '_' and '-', at most 255");
    }
    if (atOnceMost < 1) {
      throw new IllegalArgumentException("at least one log-in at once must be possible");
    }
  }

  /** AWS with the original's role; nothing else. */
  public static LogInSettings defaults() {
    return new LogInSettings(
        Aws.defaults(), Optional.empty(), Optional.empty(), Optional.empty(), AT_ONCE_MOST);
  }

  /**
   * The log-in by AWS.
   *
   * @param stsEndpoint another STS than that of the region: https, or http on loopback
   * @param attempts to reach STS, at least 1
   * @param connectLimit for each attempt
   * @param readLimit for each wait for bytes
   * @param callLimit for all attempts together
   * @param answerBytesMost of one answer of STS
   * @param allowedRoles one of them is needed, by its exact name
   * @param allowedAccounts ids of 12 digits; when empty, of any account. Anybody with an account of
   *     their own can make a role of any name there, so a server that others reach should name its
   *     accounts
   */
  public record Aws(
      Optional<URI> stsEndpoint,
      String region,
      int attempts,
      Duration connectLimit,
      Duration readLimit,
      Duration callLimit,
      int answerBytesMost,
      Set<String> allowedRoles,
      Set<String> allowedAccounts) {

    public Aws {
      allowedRoles = Set.copyOf(allowedRoles);
      allowedAccounts = Set.copyOf(allowedAccounts);
      stsEndpoint.ifPresent(endpoint -> trusted(endpoint, "the STS endpoint"));
      if (!region.matches("[a-z0-9-]{1,40}")) {
        throw new IllegalArgumentException("not a region of AWS: " + region);
      }
      if (attempts < 1 || answerBytesMost < 1) {
        throw new IllegalArgumentException("attempts and bytes must be at least 1");
      }
      if (allowedRoles.isEmpty()) {
        throw new IllegalArgumentException("without an allowed role nobody could log in");
      }
      if (!allowedAccounts.stream().allMatch(account -> account.matches("[0-9]{12}"))) {
        throw new IllegalArgumentException("ids of AWS accounts have 12 digits");
      }
    }

    /** As the original: one role, of any account. */
    public static Aws defaults() {
      return new Aws(
          Optional.empty(),
          "us-east-1",
          3,
          Duration.ofSeconds(5),
          Duration.ofSeconds(10),
          Duration.ofSeconds(40),
          64 * 1024,
          Set.of("SSOCloudDevGpuReservation"),
          Set.of());
    }

    /** The same with another STS. */
    public Aws withStsEndpoint(URI endpoint) {
      return new Aws(
          Optional.of(endpoint),
          region,
          attempts,
          connectLimit,
          readLimit,
          callLimit,
          answerBytesMost,
          allowedRoles,
          allowedAccounts);
    }
  }

  /**
   * The log-in by a request signed in advance. The STS endpoint of {@link Aws}, when set, is
   * allowed as well.
   *
   * @param serverName what the signed header {@code X-GPUaaS-Server} must say, so that what was
   *     signed for another server is of no use here
   * @param allowedHosts of STS, reached by https on port 443
   * @param ageMost of the signature; STS itself allows 15 minutes
   */
  public record Presigned(String serverName, Set<String> allowedHosts, Duration ageMost) {

    /** The header that must be signed. */
    public static final String SERVER_HEADER = "X-GPUaaS-Server";

    public Presigned {
      allowedHosts = Set.copyOf(allowedHosts);
      if (!serverName.matches("[!-~]{1,255}")) {
        throw new IllegalArgumentException("the server's name must be visible ASCII, at most 255");
      }
      if (!allowedHosts.stream().allMatch(host -> host.matches("[a-z0-9][a-z0-9.-]{0,252}"))) {
        throw new IllegalArgumentException("hosts of STS must be names in lower case, no ports");
      }
    }

    /** The global STS and that of the region, 15 minutes. */
    public static Presigned of(String serverName, String region) {
      return new Presigned(
          serverName,
          Set.of("sts.amazonaws.com", "sts." + region + ".amazonaws.com"),
          Duration.ofMinutes(15));
    }
  }

  /**
   * The log-in by an OIDC token.
   *
   * @param issuer as it stands in tokens; https, or http on loopback
   * @param audience that tokens must be for, when given
   * @param keys where the issuer's keys are; {@code <issuer>/.well-known/jwks.json} when empty
   * @param leeway for clocks that differ
   * @param keysLast how long keys are kept before they are asked for again
   * @param keysOutageLast how long old keys count while the issuer cannot be reached
   * @param refreshPause at least between two requests for keys that an unknown key id caused;
   *     shorter than keys are kept
   * @param limit for one request for keys, and again for connecting
   * @param keysBytesMost of one answer with keys
   */
  public record Oidc(
      String issuer,
      Optional<String> audience,
      Optional<URI> keys,
      Duration leeway,
      Duration keysLast,
      Duration keysOutageLast,
      Duration refreshPause,
      Duration limit,
      int keysBytesMost) {

    public Oidc {
      trusted(URI.create(issuer), "the issuer of OIDC tokens");
      keys.ifPresent(uri -> trusted(uri, "the place of the OIDC keys"));
      if (refreshPause.compareTo(keysLast) >= 0) {
        throw new IllegalArgumentException("OIDC keys must be kept for longer than the pause");
      }
    }

    /** 60 s of leeway, keys kept for 5 minutes, 5 s and 1 MiB. */
    public static Oidc of(String issuer, Optional<String> audience) {
      return new Oidc(
          issuer,
          audience,
          Optional.empty(),
          Duration.ofSeconds(60),
          Duration.ofMinutes(5),
          Duration.ofHours(1),
          Duration.ofSeconds(30),
          Duration.ofSeconds(5),
          1024 * 1024);
    }

    /** Where the issuer's keys are. */
    public URI keysUri() {
      return keys.orElseGet(
          () -> URI.create(issuer.replaceFirst("/+$", "") + "/.well-known/jwks.json"));
    }
  }

  /** What is believed must come from who it seems to come from. */
  private static void trusted(URI uri, String what) {
    String host = uri.getHost();
    boolean loopback =
        host != null
            && (host.equals("localhost")
                || host.equals("[::1]")
                || host.matches("127(\\.[0-9]{1,3}){3}"));
    boolean https = "https".equals(uri.getScheme()) && host != null;
    boolean local = "http".equals(uri.getScheme()) && loopback;
    boolean plain = uri.getRawUserInfo() == null && uri.getRawQuery() == null;
    if (!(https || local) || !plain || uri.getRawFragment() != null) {
      throw new IllegalArgumentException(
          what + " must be an https address, or http on loopback, without user and query: " + uri);
    }
  }
}
