package gpuaas.main;

import gpuaas.main.Settings.ProviderSettings;
import gpuaas.main.Settings.Wrong;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Reads settings by name, and remembers which names it knows. */
final class SettingsReader {

  private static final String PROVIDERS = "provider.";

  private final Map<String, String> values;
  private final Map<String, String> environment;
  private final Set<String> known = new HashSet<>();

  SettingsReader(Map<String, String> values, Map<String, String> environment) {
    this.values = values;
    this.environment = environment;
  }

  Optional<String> optional(String name) {
    known.add(name);
    return Optional.ofNullable(environment.getOrDefault(Settings.variable(name), values.get(name)))
        .map(String::strip)
        .filter(value -> !value.isEmpty());
  }

  String text(String name, String fallback) {
    return optional(name).orElse(fallback);
  }

  boolean flag(String name, boolean fallback) {
    return switch (text(name, Boolean.toString(fallback)).toLowerCase(Locale.ROOT)) {
      case "true", "on", "yes" -> true;
      case "false", "off", "no" -> false;
      default -> throw new Wrong(name + " must be true or false");
    };
  }

  int integer(String name, int fallback, int least, int most) {
    try {
      int value = Integer.parseInt(text(name, Integer.toString(fallback)));
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // refused below
    }
    throw new Wrong(name + " must be a whole number from " + least + " to " + most);
  }

  /** An amount of money in millionths. */
  long micros(String name, long fallback) {
    try {
      long value = Long.parseLong(text(name, Long.toString(fallback)));
      if (value >= 0) {
        return value;
      }
    } catch (NumberFormatException e) {
      // refused below
    }
    throw new Wrong(name + " must be a whole number of millionths, not below 0");
  }

  /** A duration such as {@code 500ms}, {@code 30s}, {@code 5m} or {@code 12h}. */
  Duration duration(String name, Duration fallback) {
    return optional(name).map(text -> duration(name, text)).orElse(fallback);
  }

  /** A duration as people write it. */
  static Duration duration(String name, String text) {
    String value = text.toLowerCase(Locale.ROOT);
    try {
      if (value.endsWith("ms")) {
        return Duration.ofMillis(Long.parseLong(value.substring(0, value.length() - 2)));
      }
      return Duration.parse((value.endsWith("d") ? "P" : "PT") + value.toUpperCase(Locale.ROOT));
    } catch (DateTimeParseException | NumberFormatException e) {
      throw new Wrong(name + " must be a duration such as 500ms, 30s, 5m, 12h or 7d");
    }
  }

  /** Whole numbers with commas between them, at least one. */
  List<Integer> integers(String name, List<Integer> fallback, int least, int most) {
    Optional<String> text = optional(name);
    if (text.isEmpty()) {
      return fallback;
    }
    List<String> parts = Arrays.stream(text.get().split(",", 100)).map(String::strip).toList();
    if (parts.stream()
        .anyMatch(part ->
            !part.matches("[0-9]{1,9}")
                || Integer.parseInt(part) < least
                || Integer.parseInt(part) > most)) {
      throw new Wrong(
          name + " must be whole numbers from " + least + " to " + most + " with commas between");
    }
    return parts.stream().map(Integer::valueOf).toList();
  }

  /** Durations with commas between them, at least one. */
  List<Duration> durations(String name, List<Duration> fallback) {
    Optional<String> text = optional(name);
    if (text.isEmpty()) {
      return fallback;
    }
    return Arrays.stream(text.get().split(",", 100))
        .map(part -> duration(name, part.strip()))
        .toList();
  }

  /**
   * {@code provider.NAME.type=TYPE}, and {@code provider.NAME.SETTING=VALUE} for the type's own
   * settings.
   */
  Map<String, ProviderSettings> providers() {
    Map<String, ProviderSettings> providers = new LinkedHashMap<>();
    Map<String, String> all = new LinkedHashMap<>(values);
    fromEnvironment(all);
    for (String name : new TreeSet<>(all.keySet())) {
      String[] parts = name.split("\\.", 3);
      if (!name.startsWith(PROVIDERS) || parts.length != 3) {
        continue;
      }
      known.add(name);
      String type = all.getOrDefault(PROVIDERS + parts[1] + ".type", parts[1]);
      ProviderSettings provider =
          providers.computeIfAbsent(
              parts[1], _ -> new ProviderSettings(type, new LinkedHashMap<>()));
      if (!parts[2].equals("type")) {
        provider.values().put(parts[2], all.getOrDefault(name, ""));
      }
    }
    return Settings.withDefault(providers);
  }

  /**
   * {@code GPUAAS_PROVIDER_LOCAL_GPUS} is {@code provider.local.gpus}: names of providers have no
   * dash there.
   */
  private void fromEnvironment(Map<String, String> all) {
    environment.forEach((variable, value) -> {
      String[] parts = variable.split("_", 4);
      if (parts.length == 4
          && parts[0].equals("GPUAAS")
          && parts[1].equals("PROVIDER")
          && !isKnownVariable(variable)) {
        String setting = parts[3].toLowerCase(Locale.ROOT).replace('_', '-');
        all.put(PROVIDERS + parts[2].toLowerCase(Locale.ROOT) + "." + setting, value);
      }
    });
  }

  private boolean isKnownVariable(String variable) {
    return known.stream().anyMatch(name -> Settings.variable(name).equals(variable));
  }

  void refuseUnknown() {
    for (String name : values.keySet()) {
      if (!known.contains(name)) {
        throw new Wrong("there is no setting " + name + "; docs/settings.md lists all");
      }
    }
  }
}
