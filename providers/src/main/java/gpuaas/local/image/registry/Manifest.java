package gpuaas.local.image.registry;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import gpuaas.local.image.ImageConfig;
import gpuaas.local.image.registry.PullFailed.Reason;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What registries say of an image, read with suspicion. */
final class Manifest {

  static final String DIGEST = "sha256:[0-9a-f]{64}";

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int LAYERS_MOST = 512;
  private static final int VARIABLES_MOST = 256;
  private static final int VARIABLES_TEXT_MOST = 64 * 1024;
  private static final String LINUX = "linux";
  private static final String MACHINE = "amd64";

  private Manifest() {}

  /**
   * Which image is meant.
   *
   * @param digest of the image for this kind of machine
   * @param asked the digest of what was asked for, which may be a list for many kinds of machines
   */
  record Resolved(String digest, String asked) {}

  /** Reads what a registry has under a name: an image, or a list of them. */
  static Resolved resolve(String raw, Reference reference, long bytesMost) throws PullFailed {
    JsonNode root = json(raw, reference);
    String asked = "sha256:" + sha256(raw);
    if (!reference.digest().isEmpty() && !reference.digest().equals(asked)) {
      throw unusable(reference, "the registry sent something else than what was asked for");
    }
    if (!root.path("manifests").isArray()) {
      if (root.path("schemaVersion").asInt() != 2) {
        throw unusable(reference, "it is in a form that is no longer used (schema 1)");
      }
      requireLayers(root, reference, bytesMost);
      return new Resolved(asked, asked);
    }
    Set<String> platforms = new TreeSet<>();
    for (JsonNode entry : root.path("manifests")) {
      JsonNode platform = entry.path("platform");
      String system = platform.path("os").asText();
      String machine = platform.path("architecture").asText();
      String digest = entry.path("digest").asText();
      if (system.equals(LINUX) && machine.equals(MACHINE) && digest.matches(DIGEST)) {
        return new Resolved(digest, asked);
      }
      platforms.add(printable(system + "/" + machine));
    }
    throw platform(reference, String.join(", ", platforms));
  }

  /** The layers and the config, as names of blobs; refuses what is too much. */
  static List<String> requireLayers(JsonNode manifest, Reference reference, long bytesMost)
      throws PullFailed {
    List<String> blobs = new ArrayList<>();
    JsonNode layers = manifest.path("layers");
    if (layers.size() > LAYERS_MOST) {
      throw unusable(reference, "it has " + layers.size() + " layers; at most " + LAYERS_MOST);
    }
    long bytes = 0;
    for (JsonNode layer : layers) {
      bytes += Math.max(0, layer.path("size").asLong());
      blobs.add(blob(layer, reference));
      if (bytes < 0 || bytes > bytesMost) {
        throw new PullFailed(
            Reason.TOO_LARGE, "the image " + reference.text() + " is larger than image-size-gib");
      }
    }
    blobs.add(blob(manifest.path("config"), reference));
    return blobs;
  }

  private static String blob(JsonNode entry, Reference reference) throws PullFailed {
    String digest = entry.path("digest").asText();
    if (!digest.matches(DIGEST)) {
      throw unusable(reference, "a part of it has no digest of sha256");
    }
    return digest;
  }

  /** What an image's config says, of which this machine can do. */
  static ImageConfig config(String raw, Reference reference) throws PullFailed {
    JsonNode root = json(raw, reference);
    String system = root.path("os").asText(LINUX);
    String machine = root.path("architecture").asText(MACHINE);
    if (!system.equals(LINUX) || !machine.equals(MACHINE)) {
      throw platform(reference, printable(system + "/" + machine));
    }
    JsonNode config = root.path("config");
    Map<String, String> variables = new TreeMap<>();
    int characters = 0;
    for (JsonNode entry : config.path("Env")) {
      String text = entry.asText();
      int equals = text.indexOf('=');
      characters += text.length();
      if (equals > 0 && text.indexOf('\0') < 0) {
        String name = text.substring(0, equals);
        if (name.matches("[A-Za-z_][A-Za-z0-9_]{0,127}")) {
          variables.put(name, text.substring(equals + 1));
        }
      }
    }
    if (variables.size() > VARIABLES_MOST || characters > VARIABLES_TEXT_MOST) {
      throw unusable(reference, "it sets too many variables");
    }
    String folder = config.path("WorkingDir").asText();
    boolean usable = folder.matches("/[^\\p{Cntrl}]{0,1000}");
    return new ImageConfig(variables, usable ? folder : "");
  }

  static JsonNode json(String raw, Reference reference) throws PullFailed {
    try {
      return JSON.readTree(raw);
    } catch (JacksonException bad) {
      throw unusable(reference, "what the registry says of it cannot be read");
    }
  }

  static PullFailed unusable(Reference reference, String why) {
    return new PullFailed(
        Reason.UNUSABLE, "the image " + reference.text() + " cannot be used: " + why);
  }

  private static PullFailed platform(Reference reference, String platforms) {
    return new PullFailed(
        Reason.PLATFORM,
        "the image "
            + reference.text()
            + " is not for linux/amd64, which this machine is; it is for "
            + (platforms.isEmpty()
                ? "nothing"
                : platforms.substring(0, Math.min(platforms.length(), 200))));
  }

  /** At most a line, without what could disturb whoever reads it. */
  static String printable(String text) {
    return text.replaceAll("[^ -~]", "?");
  }

  private static String sha256(String text) {
    try {
      byte[] sum =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(sum);
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
