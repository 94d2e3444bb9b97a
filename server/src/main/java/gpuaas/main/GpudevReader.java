package gpuaas.main;

import gpuaas.access.Guests;
import gpuaas.gpudev.GpudevDialect.GpudevSettings;
import java.net.URI;
import java.time.Duration;

/** Reads the settings of the GPU Dev API, and of keys that people publish elsewhere. */
final class GpudevReader {

  private static final Duration KEY_LIFETIME_LEAST = Duration.ofMinutes(1);
  private static final Duration KEY_LIFETIME_MOST = Duration.ofHours(168);

  private GpudevReader() {}

  static GpudevSettings read(SettingsReader reader) {
    Duration keyLifetime = reader.duration("gpudev.key-lifetime", Duration.ofHours(2));
    if (keyLifetime.compareTo(KEY_LIFETIME_LEAST) < 0
        || keyLifetime.compareTo(KEY_LIFETIME_MOST) > 0) {
      throw new Settings.Wrong("gpudev.key-lifetime must be from 1m to 168h");
    }
    return new GpudevSettings(
        reader.optional("gpudev.default-image"),
        keyLifetime,
        reader.duration("gpudev.total-most", Duration.ofHours(48)));
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
