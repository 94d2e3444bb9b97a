package gpuaas.main;

import gpuaas.access.Guests;
import gpuaas.gpudev.GpudevDialect.GpudevSettings;
import gpuaas.gpudev.GpudevDialect.Images;
import gpuaas.gpudev.LogInDoor;
import gpuaas.gpudev.login.LogInSettings;
import gpuaas.lease.LeaseSpec;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads the settings of the GPU Dev API, and of keys that people publish elsewhere. */
final class GpudevReader {

  private static final Duration KEY_LIFETIME_LEAST = Duration.ofMinutes(1);
  private static final Duration KEY_LIFETIME_MOST = Duration.ofHours(168);

  private static final int WARNINGS_MOST = 3;

  private GpudevReader() {}

  static GpudevSettings read(SettingsReader reader) {
    Duration keyLifetime = reader.duration("gpudev.key-lifetime", Duration.ofHours(2));
    if (keyLifetime.compareTo(KEY_LIFETIME_LEAST) < 0
        || keyLifetime.compareTo(KEY_LIFETIME_MOST) > 0) {
      throw new Settings.Wrong("gpudev.key-lifetime must be from 1m to 168h");
    }
    return new GpudevSettings(
        reader.optional("gpudev.default-image"),
        images(reader.text("gpudev.fetch-images", "named")),
        keyLifetime,
        reader.duration("gpudev.total-most", Duration.ofHours(48)),
        new LeaseSpec.Ending(
            warnings(reader), reader.duration("gpudev.grace", Duration.ofMinutes(2))),
        reader.duration("gpudev.queue-most", Duration.ofHours(48)),
        reader.duration("gpudev.fetch-most", Duration.ofHours(1)),
        reader.duration("gpudev.cancels-kept", Duration.ofMinutes(1)),
        reader.integer(
            "gpudev.priority-most", 0, -LeaseSpec.PRIORITY_MOST, LeaseSpec.PRIORITY_MOST),
        reader.flag("gpudev.end-with-command", false),
        reader.integer("gpudev.follows-most", 200, 0, 100_000),
        reader.integer("gpudev.follows-most-per-user", 20, 0, 100_000));
  }

  private static List<Duration> warnings(SettingsReader reader) {
    List<Duration> all =
        reader
            .durations(
                "gpudev.warn-before",
                List.of(Duration.ofMinutes(30), Duration.ofMinutes(15), Duration.ofMinutes(5)))
            .stream()
            .sorted(Comparator.reverseOrder())
            .toList();
    if (all.size() > WARNINGS_MOST) {
      throw new Settings.Wrong("gpudev.warn-before may have at most three times");
    }
    return all;
  }

  private static Images images(String word) {
    return switch (word) {
      case "none", "false" -> Images.NONE;
      case "named" -> Images.NAMED;
      case "all", "true" -> Images.ALL;
      default -> throw new Settings.Wrong("gpudev.fetch-images must be none, named or all");
    };
  }

  /**
   * How people come in. Without a word about whose accounts, nobody comes by AWS from elsewhere.
   */
  static LogInDoor.Settings logIn(SettingsReader reader, boolean development) {
    LogInSettings.Aws standard = LogInSettings.Aws.defaults();
    Optional<String> sts = reader.optional("gpudev.sts-endpoint");
    Set<String> accounts = words(reader, "gpudev.aws-accounts", Set.of());
    boolean anyAccount = reader.flag("gpudev.aws-any-account", development);
    Optional<String> localUser = reader.optional("gpudev.local-user");
    if (localUser.isPresent() && !development) {
      throw new Settings.Wrong("gpudev.local-user is for development only: anybody would be them");
    }
    try {
      LogInSettings.Aws aws =
          new LogInSettings.Aws(
              sts.map(URI::create),
              reader.text("gpudev.aws-region", standard.region()),
              reader.integer("gpudev.sts-attempts", standard.attempts(), 1, 10),
              reader.duration("gpudev.sts-connect-limit", standard.connectLimit()),
              reader.duration("gpudev.sts-read-limit", standard.readLimit()),
              reader.duration("gpudev.sts-call-limit", standard.callLimit()),
              standard.answerBytesMost(),
              words(reader, "gpudev.aws-roles", standard.allowedRoles()),
              accounts);
      Optional<LogInSettings.Presigned> presigned =
          reader
              .optional("gpudev.server-name")
              .map(name -> LogInSettings.Presigned.of(name, aws.region()));
      Optional<String> audience = reader.optional("gpudev.oidc-audience");
      Optional<String> keys = reader.optional("gpudev.oidc-keys");
      Optional<LogInSettings.Oidc> oidc =
          reader
              .optional("gpudev.oidc-issuer")
              .map(issuer -> oidc(LogInSettings.Oidc.of(issuer, audience), keys.map(URI::create)));
      return new LogInDoor.Settings(
          new LogInSettings(
              aws,
              presigned,
              oidc,
              localUser,
              reader.integer("gpudev.log-ins-at-once", 64, 1, 10_000)),
          anyAccount || !accounts.isEmpty(),
          development && sts.isEmpty());
    } catch (IllegalArgumentException e) {
      throw new Settings.Wrong("gpudev: " + e.getMessage());
    }
  }

  private static LogInSettings.Oidc oidc(LogInSettings.Oidc plain, Optional<URI> keys) {
    return new LogInSettings.Oidc(
        plain.issuer(),
        plain.audience(),
        keys,
        plain.leeway(),
        plain.keysLast(),
        plain.keysOutageLast(),
        plain.refreshPause(),
        plain.limit(),
        plain.keysBytesMost());
  }

  private static Set<String> words(SettingsReader reader, String name, Set<String> fallback) {
    return reader
        .optional(name)
        .map(text ->
            Arrays.stream(text.split(",", 100))
                .map(String::strip)
                .filter(word -> !word.isEmpty())
                .collect(Collectors.toUnmodifiableSet()))
        .orElse(fallback);
  }

  static GithubSettings github(SettingsReader reader) {
    String url = reader.text("github.url", "https://github.com");
    URI base;
    try {
      base = URI.create(url);
    } catch (IllegalArgumentException e) {
      throw new Settings.Wrong("github.url is no address: " + url);
    }
    if (base.getHost() == null || !url.matches("https?://.*")) {
      throw new Settings.Wrong("github.url must begin with https:// or http://");
    }
    return new GithubSettings(
        base,
        reader.duration("github.limit", Duration.ofSeconds(5)),
        new Guests.Rules(
            reader.duration("github.recheck-every", Duration.ofMinutes(10)),
            reader.duration("github.retry-after", Duration.ofSeconds(15)),
            reader.integer("github.users-most", 100, 1, 1000)));
  }

  /**
   * Where public keys are fetched by the names of people.
   *
   * @param limit for each question
   */
  record GithubSettings(URI base, Duration limit, Guests.Rules rules) {}
}
