package gpuaas.local.gpu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What must be added to a container so that it can use its GPUs; the words are those of the
 * Container Device Interface.
 *
 * @param devices device files, and with them the right to use them
 * @param mounts files and folders of the host, such as the driver's libraries
 * @param variables environment variables
 * @param hooks programs of the host that the runtime starts
 */
public record ContainerEdits(
    List<DeviceNode> devices,
    List<HostMount> mounts,
    Map<String, String> variables,
    List<Hook> hooks) {

  /** Nothing to add. */
  public static final ContainerEdits NONE =
      new ContainerEdits(List.of(), List.of(), Map.of(), List.of());

  public ContainerEdits {
    devices = List.copyOf(devices);
    mounts = List.copyOf(mounts);
    variables = Map.copyOf(variables);
    hooks = List.copyOf(hooks);
  }

  /**
   * A device file.
   *
   * @param access of {@code r}, {@code w} and {@code m}
   */
  public record DeviceNode(String hostPath, String path, String access) {}

  /** A file or folder of the host, seen inside; always without set-user-id programs. */
  public record HostMount(String hostPath, String path, List<String> options) {
    public HostMount {
      options = List.copyOf(options);
    }
  }

  /**
   * A program of the host.
   *
   * @param name when it runs, such as {@code createContainer}
   */
  public record Hook(String name, String path, List<String> arguments, List<String> environment) {
    public Hook {
      arguments = List.copyOf(arguments);
      environment = List.copyOf(environment);
    }
  }

  /** Both together; each thing once. */
  public ContainerEdits and(ContainerEdits other) {
    Map<String, String> allVariables = new LinkedHashMap<>(variables);
    allVariables.putAll(other.variables);
    return new ContainerEdits(
        joined(devices, other.devices),
        joined(mounts, other.mounts),
        allVariables,
        joined(hooks, other.hooks));
  }

  private static <T> List<T> joined(List<T> some, List<T> others) {
    List<T> all = new ArrayList<>(some);
    others.stream().filter(other -> !all.contains(other)).forEach(all::add);
    return all;
  }
}
