package gpuaas.local.gpu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import gpuaas.local.gpu.ContainerEdits.DeviceNode;
import gpuaas.local.gpu.ContainerEdits.Hook;
import gpuaas.local.gpu.ContainerEdits.HostMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Device descriptions in the form of the Container Device Interface, which the vendor's tools write
 * ({@code nvidia-ctk cdi generate}): what a container needs for each GPU.
 *
 * @param devices the edits for each device by its name, the kind's own included
 * @param findings what was read, and what could not be
 */
record CdiSpecs(Map<String, ContainerEdits> devices, List<String> findings) {

  /** Where they are; of two descriptions of one device, the later folder's counts. */
  static final List<Path> FOLDERS = List.of(Path.of("/etc/cdi"), Path.of("/var/run/cdi"));

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Set<String> KINDS = Set.of("nvidia.com/gpu", "amd.com/gpu");
  private static final Set<String> HOOKS =
      Set.of(
          "prestart",
          "createRuntime",
          "createContainer",
          "startContainer",
          "poststart",
          "poststop");
  private static final long MOST_BYTES = 4 << 20;

  /** Made when the first file needs it: most machines have none, and it is slow to load. */
  private static final class Yaml {
    static final YAMLMapper MAPPER = YAMLMapper.builder().build();
  }

  CdiSpecs {
    devices = Map.copyOf(devices);
    findings = List.copyOf(findings);
  }

  static CdiSpecs load(List<Path> folders) {
    Map<String, ContainerEdits> devices = new LinkedHashMap<>();
    List<String> findings = new ArrayList<>();
    for (Path folder : folders) {
      for (Path file : files(folder)) {
        try {
          int before = devices.size();
          add(read(file), devices);
          findings.add("CDI: " + file + " describes " + (devices.size() - before) + " devices");
        } catch (IOException | IllegalArgumentException unreadable) {
          findings.add("CDI: " + file + " cannot be used: " + unreadable.getMessage());
        }
      }
    }
    return new CdiSpecs(devices, findings);
  }

  /** The edits for a device, by its UUID or its number. */
  Optional<ContainerEdits> find(String uuid, int number) {
    return Optional.ofNullable(devices.get(uuid))
        .or(() -> Optional.ofNullable(devices.get(Integer.toString(number))));
  }

  /** The names that stand for one whole device each. */
  List<String> numbers() {
    return devices.keySet().stream().filter(name -> name.matches("[0-9]{1,3}")).sorted().toList();
  }

  private static List<Path> files(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(file -> file.toString().matches(".*\\.(json|ya?ml)")).sorted().toList();
    } catch (IOException absent) {
      return List.of();
    }
  }

  private static JsonNode read(Path file) throws IOException {
    if (Files.size(file) > MOST_BYTES) {
      throw new IOException("it has more than " + MOST_BYTES + " bytes");
    }
    ObjectMapper mapper = file.toString().endsWith(".json") ? JSON : Yaml.MAPPER;
    return mapper.readTree(file.toFile());
  }

  private static void add(JsonNode spec, Map<String, ContainerEdits> devices) {
    if (!KINDS.contains(spec.path("kind").asText())) {
      return;
    }
    ContainerEdits general = edits(spec.path("containerEdits"));
    for (JsonNode device : spec.path("devices")) {
      String name = device.path("name").asText();
      devices.put(name, general.and(edits(device.path("containerEdits"))));
    }
  }

  private static ContainerEdits edits(JsonNode edits) {
    List<DeviceNode> nodes = new ArrayList<>();
    for (JsonNode node : edits.path("deviceNodes")) {
      String path = absolute(node.path("path").asText());
      String access = node.path("permissions").asText("rwm");
      nodes.add(new DeviceNode(absolute(node.path("hostPath").asText(path)), path, access));
    }
    List<HostMount> mounts = new ArrayList<>();
    for (JsonNode mount : edits.path("mounts")) {
      List<String> options = texts(mount.path("options"));
      mounts.add(
          new HostMount(
              absolute(mount.path("hostPath").asText()),
              absolute(mount.path("containerPath").asText()),
              options.isEmpty() ? List.of("ro", "nosuid", "nodev") : options));
    }
    Map<String, String> variables = new LinkedHashMap<>();
    for (String variable : texts(edits.path("env"))) {
      int equals = variable.indexOf('=');
      if (equals > 0) {
        variables.put(variable.substring(0, equals), variable.substring(equals + 1));
      }
    }
    return new ContainerEdits(nodes, mounts, variables, hooks(edits.path("hooks")));
  }

  private static List<Hook> hooks(JsonNode hooks) {
    List<Hook> all = new ArrayList<>();
    for (JsonNode hook : hooks) {
      String name = hook.path("hookName").asText();
      if (!HOOKS.contains(name)) {
        throw new IllegalArgumentException("there is no hook \"" + name + "\"");
      }
      all.add(
          new Hook(
              name,
              absolute(hook.path("path").asText()),
              texts(hook.path("args")),
              texts(hook.path("env"))));
    }
    return all;
  }

  private static String absolute(String path) {
    if (!path.startsWith("/") || Path.of(path).normalize().toString().length() != path.length()) {
      throw new IllegalArgumentException("not a plain absolute path: \"" + path + "\"");
    }
    return path;
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(text -> texts.add(text.asText()));
    return texts;
  }
}
