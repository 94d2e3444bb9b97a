package gpuaas.market;

import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory.Setting;
import java.math.BigDecimal;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Reads the settings of a market, each checked, with a sentence for what is wrong. */
public final class MarketSettings {

  private static final int BYTES_MOST = 16 * 1024 * 1024;

  private final ProviderConfig config;
  private final List<Setting> known;

  /**
   * @throws IllegalArgumentException when a setting was given that the type does not have
   */
  public MarketSettings(String type, ProviderConfig config, List<Setting> known) {
    this.config = config;
    this.known = known;
    for (String name : config.values().keySet()) {
      if (known.stream().noneMatch(setting -> setting.name().equals(name))) {
        throw new IllegalArgumentException(
            "a provider of type "
                + type
                + " has no setting \""
                + name
                + "\"; it has "
                + known.stream().map(Setting::name).collect(Collectors.joining(", ")));
      }
    }
  }

  /** What all markets have in common. */
  public static List<Setting> common(String baseUrl, String callsPerSecond, String burst) {
    return List.of(
        new Setting("base-url", "Where its API is; https, or this machine.", baseUrl, false),
        new Setting("api-key", "The key of our account there.", "", true),
        new Setting("calls-per-second", "How often it is called at most.", callsPerSecond, false),
        new Setting("burst", "How many calls may be made at once after a pause.", burst, false),
        new Setting("connect-limit", "For a connection to its API.", "5s", false),
        new Setting("answer-limit", "For a call, to the last byte of the answer.", "30s", false),
        new Setting("ssh-limit", "For each step of entering a machine.", "10s", false),
        new Setting("offers-every", "How old the offers may be that are shown.", "60s", false),
        new Setting("offers-most", "How many offers are shown, cheapest first.", "200", false),
        new Setting("look-every", "How old a look at all machines may be.", "5s", false),
        new Setting("appear-limit", "How long a new machine may be unknown.", "60s", false),
        new Setting("region", "Where all of it is; empty: as the market says.", "", false),
        new Setting("simulated", "true: there are no GPUs behind it.", "false", false));
  }

  /** How to call the market. */
  public MarketHttp.Rules http() {
    String key = text("api-key");
    if (!key.matches("[\\x21-\\x7e]{1,512}")) {
      throw new IllegalArgumentException(
          config.name() + ": api-key must be set to the key of an account there");
    }
    return new MarketHttp.Rules(
        baseUrl(),
        key,
        Math.max(0.01, decimal("calls-per-second").doubleValue()),
        number("burst", 1, 1000),
        duration("connect-limit"),
        duration("answer-limit"),
        BYTES_MOST);
  }

  /** How patient to be with the market. */
  public MarketProvider.Rules rules(Duration silentLimit) {
    return new MarketProvider.Rules(
        duration("appear-limit"),
        silentLimit,
        duration("look-every"),
        duration("offers-every"),
        number("offers-most", 1, 1000),
        flag("simulated"));
  }

  private URI baseUrl() {
    String text = text("base-url").replaceFirst("/+$", "");
    try {
      URI uri = new URI(text);
      String host = uri.getHost() == null ? "" : uri.getHost();
      boolean here = host.equals("localhost") || host.startsWith("127.");
      boolean secret = "https".equals(uri.getScheme()) || ("http".equals(uri.getScheme()) && here);
      if (secret && !host.isEmpty() && uri.getQuery() == null && uri.getUserInfo() == null) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // refused below
    }
    throw new IllegalArgumentException(
        config.name() + ": base-url must be an https address; http is for this machine only");
  }

  /** The value, or what holds without one. */
  public String text(String name) {
    Setting setting =
        known.stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    return config.get(name, setting.fallback()).strip();
  }

  /** The value, if there is one. */
  public Optional<String> find(String name) {
    return Optional.of(text(name)).filter(text -> !text.isEmpty());
  }

  /** A whole number. */
  public int number(String name, int least, int most) {
    try {
      int value = Integer.parseInt(text(name));
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // refused below
    }
    throw new IllegalArgumentException(
        config.name() + ": " + name + " must be a whole number from " + least + " to " + most);
  }

  /** A decimal number, not below 0. */
  public BigDecimal decimal(String name) {
    if (!text(name).matches("[0-9]{1,6}(\\.[0-9]{1,6})?")) {
      throw new IllegalArgumentException(config.name() + ": " + name + " must be a number");
    }
    return new BigDecimal(text(name));
  }

  /** A time such as {@code 500ms}, {@code 30s} or {@code 5m}. */
  public Duration duration(String name) {
    String text = text(name).toLowerCase(Locale.ROOT);
    try {
      return text.endsWith("ms")
          ? Duration.ofMillis(Long.parseLong(text.substring(0, text.length() - 2)))
          : Duration.parse("PT" + text.toUpperCase(Locale.ROOT));
    } catch (DateTimeParseException | NumberFormatException e) {
      throw new IllegalArgumentException(
          config.name() + ": " + name + " must be a time such as 500ms, 30s or 5m");
    }
  }

  /** True or false. */
  public boolean flag(String name) {
    return switch (text(name)) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new IllegalArgumentException(
              config.name() + ": " + name + " must be true or false");
    };
  }
}
