package gpuaas.local.image.registry;

import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory.Setting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * The settings for images of registries, checked.
 *
 * @param mirrors what is asked in a registry's place, by the registry
 * @param insecure registries that may be asked without encryption
 * @param allowed registries that may be asked at all; empty: all
 * @param onLoopback whether those on this machine may be asked though no setting names them
 * @param credentials a file with log-ins; nothing of it is ever said
 * @param cacheGib beyond this, images that nobody uses go
 * @param sizeGib how large one image may be
 * @param instead an image of this machine that stands for every image of a registry; empty: none
 * @param timeout for one image, from the first question to the last file
 * @param stall how long nothing may move
 */
public record RegistrySettings(
    Map<String, String> mirrors,
    Set<String> insecure,
    Set<String> allowed,
    boolean onLoopback,
    Optional<Path> credentials,
    int cacheGib,
    int sizeGib,
    String instead,
    Duration timeout,
    Duration stall) {

  private static final int MOST_NAMES = 100;

  /** Every setting, for the settings page. */
  public static final List<Setting> ALL =
      List.of(
          setting("image-mirror", "Asked in place of registries, as docker.io=HOST:PORT,…", ""),
          setting("image-insecure", "Registries that may be asked without encryption.", ""),
          setting("image-registries", "Registries that may be asked; default: all public.", ""),
          setting("image-private", "loopback: those on this machine too; or refuse.", "refuse"),
          setting("image-credentials", "A file of log-ins, as docker login writes it.", ""),
          setting("image-cache-gib", "Beyond this, images that nobody uses go.", "100"),
          setting("image-size-gib", "How large one image may be, unpacked.", "100"),
          setting("image-default", "An own image in place of those of registries.", ""),
          setting("image-timeout-seconds", "How long fetching an image may take.", "900"),
          setting("image-stall-seconds", "How long nothing may move meanwhile.", "60"));

  public RegistrySettings {
    mirrors = Map.copyOf(mirrors);
    insecure = Set.copyOf(insecure);
    allowed = Set.copyOf(allowed);
  }

  /**
   * Reads the settings.
   *
   * @throws IllegalArgumentException with a sentence that names the setting
   */
  public static RegistrySettings parse(ProviderConfig config) {
    String instead = config.get("image-default", "");
    if (Reference.isText(instead) || instead.length() > 64) {
      throw new IllegalArgumentException(
          "image-default: \"" + instead + "\" must be an image of this machine, such as host");
    }
    return new RegistrySettings(
        mirrors(config.get("image-mirror", "")),
        registries("image-insecure", config.get("image-insecure", "")),
        registries("image-registries", config.get("image-registries", "")),
        onLoopback(config.get("image-private", "refuse")),
        config.find("image-credentials").map(RegistrySettings::credentials),
        number(config, "image-cache-gib", "100", 1_000_000),
        number(config, "image-size-gib", "100", 1_000_000),
        instead,
        Duration.ofSeconds(number(config, "image-timeout-seconds", "900", 86_400)),
        Duration.ofSeconds(number(config, "image-stall-seconds", "60", 86_400)));
  }

  /** Every registry that a setting names, so that it may be at a private address. */
  boolean names(String registry) {
    return insecure.contains(registry)
        || allowed.contains(registry)
        || mirrors.containsKey(registry);
  }

  /** Whether it may be asked. */
  boolean allows(String registry) {
    return allowed.isEmpty() || allowed.contains(registry);
  }

  private static Map<String, String> mirrors(String text) {
    Map<String, String> mirrors = new LinkedHashMap<>();
    for (String entry : words(text)) {
      String[] sides = entry.split("=", -1);
      if (sides.length != 2) {
        throw new IllegalArgumentException(
            "image-mirror: \"" + entry + "\" must be REGISTRY=MIRROR, such as docker.io=host:5000");
      }
      mirrors.put(registry("image-mirror", sides[0]), registry("image-mirror", sides[1]));
    }
    return mirrors;
  }

  private static boolean onLoopback(String text) {
    return switch (text) {
      case "loopback" -> true;
      case "refuse" -> false;
      default ->
          throw new IllegalArgumentException(
              "image-private: \"" + text + "\" is neither loopback nor refuse");
    };
  }

  private static Set<String> registries(String name, String text) {
    Set<String> registries = new TreeSet<>();
    words(text).forEach(word -> registries.add(registry(name, word)));
    if (registries.size() > MOST_NAMES) {
      throw new IllegalArgumentException(name + ": at most " + MOST_NAMES + " registries");
    }
    return registries;
  }

  private static List<String> words(String text) {
    return Stream.of(text.split(",")).map(String::strip).filter(word -> !word.isEmpty()).toList();
  }

  private static String registry(String name, String text) {
    try {
      return Reference.requireRegistry(text, text);
    } catch (IllegalArgumentException bad) {
      throw new IllegalArgumentException(
          name + ": \"" + text + "\" must be a host, such as docker.io or 127.0.0.1:5000");
    }
  }

  private static Path credentials(String text) {
    Path path = Path.of(text);
    if (!path.isAbsolute()) {
      throw new IllegalArgumentException("image-credentials: the path must begin with a slash");
    }
    return path;
  }

  private static int number(ProviderConfig config, String name, String fallback, int most) {
    String text = config.get(name, fallback);
    long value = text.matches("[0-9]{1,7}") ? Long.parseLong(text) : -1;
    if (value < 1 || value > most) {
      throw new IllegalArgumentException(
          name + ": \"" + text + "\" must be a whole number from 1 to " + most);
    }
    return (int) value;
  }

  private static Setting setting(String name, String meaning, String fallback) {
    return new Setting(name, meaning, fallback, false);
  }
}
