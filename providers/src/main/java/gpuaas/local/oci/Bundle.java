package gpuaas.local.oci;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.local.Environment;
import gpuaas.local.gpu.ContainerEdits;
import gpuaas.local.image.IdRange;
import gpuaas.local.image.Image;
import gpuaas.local.image.ImageConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Writes the OCI configuration of an environment. Everything that a runtime can hold back is held
 * back here: what is not in this file, an environment has not.
 *
 * @param home a folder of the host's to show as the login user's home
 * @param root where the environment's root is mounted
 * @param cgroup the path of its control group
 * @param swapCounted whether the memory limit must cover swap too
 */
record Bundle(
    Environment environment,
    Image image,
    ContainerEdits edits,
    Optional<Path> home,
    Path root,
    String cgroup,
    boolean swapCounted,
    Seccomp seccomp) {

  /** What the usual container engine grants; inside a user namespace it is worth no more there. */
  static final Set<String> CAPABILITIES =
      new TreeSet<>(
          List.of(
              "CAP_AUDIT_WRITE",
              "CAP_CHOWN",
              "CAP_DAC_OVERRIDE",
              "CAP_FOWNER",
              "CAP_FSETID",
              "CAP_KILL",
              "CAP_MKNOD",
              "CAP_NET_BIND_SERVICE",
              "CAP_NET_RAW",
              "CAP_SETFCAP",
              "CAP_SETGID",
              "CAP_SETPCAP",
              "CAP_SETUID",
              "CAP_SYS_CHROOT"));

  static final String PATH =
      "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/cuda/bin";

  private static final String HOME = "/root";

  /** The name of the annotation that holds the tag. */
  static final String TAG = "gpuaas.tag";

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int CPU_PERIOD_MICROS = 100_000;
  private static final long MIB = 1L << 20;

  /** Collects the dead and waits; the shell does so while it waits for its own child. */
  private static final List<String> FIRST_PROCESS =
      List.of(
          "/bin/sh",
          "-c",
          "trap 'exit 0' TERM; while :; do sleep 2147483647 & wait $!; done",
          "gpuaas-init");

  private static final List<String> HIDDEN =
      List.of(
          "/proc/acpi",
          "/proc/asound",
          "/proc/interrupts",
          "/proc/kcore",
          "/proc/keys",
          "/proc/latency_stats",
          "/proc/sched_debug",
          "/proc/scsi",
          "/proc/timer_list",
          "/proc/timer_stats",
          "/sys/devices/virtual/powercap",
          "/sys/firmware");

  private static final List<String> READ_ONLY =
      List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger");

  /** Writes {@code config.json} into the folder. */
  void write(Path folder) throws IOException {
    Files.write(folder.resolve("config.json"), JSON.writeValueAsBytes(configuration()));
  }

  ObjectNode configuration() throws IOException {
    ObjectNode config = JSON.createObjectNode().put("ociVersion", "1.0.2");
    config.put("hostname", environment.hostName());
    config.putObject("root").put("path", root.toString());
    config
        .putObject("annotations")
        .put(TAG, Environment.tagOf(environment.id()).map(tag -> tag.text()).orElse(""));
    addProcess(config.putObject("process"));
    addMounts(config.putArray("mounts"));
    addHooks(config);
    addLinux(config.putObject("linux"));
    return config;
  }

  private void addProcess(ObjectNode process) {
    process.putObject("user").put("uid", 0).put("gid", 0);
    FIRST_PROCESS.forEach(process.putArray("args")::add);
    ArrayNode variables = process.putArray("env");
    variables().forEach((name, value) -> variables.add(name + "=" + value));
    process.put("cwd", workFolder());
    ObjectNode capabilities = process.putObject("capabilities");
    for (String set : List.of("bounding", "effective", "permitted")) {
      CAPABILITIES.forEach(capabilities.putArray(set)::add);
    }
    // An image of its own may have sudo, whose set-user-id bit means root inside and no more.
    process.put("noNewPrivileges", image.isHost());
    process
        .putArray("rlimits")
        .addObject()
        .put("type", "RLIMIT_CORE")
        .put("hard", 0)
        .put("soft", 0);
  }

  /** With a disk as the home, it is better not to begin where nothing is kept. */
  private String workFolder() {
    return image
        .config()
        .map(ImageConfig::workFolder)
        .filter(folder -> home.isEmpty() && !folder.matches("/*") && image.hasFolder(folder))
        .orElse(HOME);
  }

  private Map<String, String> variables() {
    Map<String, String> variables = new TreeMap<>();
    variables.put("PATH", PATH);
    variables.put("LANG", "C.UTF-8");
    image.config().ifPresent(config -> variables.putAll(config.variables()));
    variables.putAll(edits.variables());
    variables.putAll(environment.variables());
    variables.put("HOME", HOME);
    variables.put("USER", "root");
    variables.put("LOGNAME", "root");
    variables.put("SHELL", image.shell());
    if (image.config().isPresent()) {
      // A login shell sets its own path; the greeting sets this one again.
      variables.put("GPUAAS_PATH", variables.getOrDefault("PATH", PATH));
    }
    return variables;
  }

  private void addMounts(ArrayNode mounts) {
    addMount(mounts, "/proc", "proc", "nosuid", "noexec", "nodev");
    addMount(mounts, "/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=1m");
    addMount(
        mounts,
        "/dev/pts",
        "devpts",
        "nosuid",
        "noexec",
        "newinstance",
        "ptmxmode=0666",
        "mode=0620",
        "gid=5");
    // Training programs hand data to each other here; it counts as the environment's memory.
    String size = "size=" + environment.memoryMib() / 2 + "m";
    addMount(mounts, "/dev/shm", "tmpfs", "nosuid", "noexec", "nodev", "mode=1777", size);
    addMount(mounts, "/dev/mqueue", "mqueue", "nosuid", "noexec", "nodev");
    addMount(mounts, "/sys", "sysfs", "nosuid", "noexec", "nodev", "ro");
    for (Path folder : image.hostFolders()) {
      addBind(mounts, folder.toString(), folder.toString(), List.of("ro", "nosuid", "nodev"));
    }
    for (ContainerEdits.DeviceNode device : edits.devices()) {
      // In a user namespace no device file can be made, so the host's own is shown.
      addBind(mounts, device.hostPath(), device.path(), List.of("nosuid", "noexec"));
    }
    for (ContainerEdits.HostMount mount : edits.mounts()) {
      addBind(mounts, mount.hostPath(), mount.path(), mount.options());
    }
    home.ifPresent(
        folder -> addBind(mounts, folder.toString(), HOME, List.of("rw", "nosuid", "nodev")));
  }

  private static void addMount(
      ArrayNode mounts, String destination, String type, String... options) {
    ObjectNode mount = mounts.addObject().put("destination", destination).put("type", type);
    mount.put("source", type);
    List.of(options).forEach(mount.putArray("options")::add);
  }

  private static void addBind(
      ArrayNode mounts, String source, String destination, List<String> options) {
    ObjectNode mount = mounts.addObject().put("destination", destination).put("type", "bind");
    ArrayNode words = mount.put("source", source).putArray("options");
    words.add("rbind").add("rprivate");
    options.stream().filter(word -> !word.matches("r?bind|r?private")).forEach(words::add);
  }

  private void addHooks(ObjectNode config) {
    for (ContainerEdits.Hook hook : edits.hooks()) {
      ObjectNode entry =
          config.withObject("/hooks").withArray(hook.name()).addObject().put("path", hook.path());
      hook.arguments().forEach(entry.putArray("args")::add);
      hook.environment().forEach(entry.putArray("env")::add);
    }
  }

  private void addLinux(ObjectNode linux) throws IOException {
    linux.put("cgroupsPath", cgroup);
    ArrayNode namespaces = linux.putArray("namespaces");
    for (String type : List.of("user", "pid", "network", "ipc", "uts", "mount", "cgroup")) {
      namespaces.addObject().put("type", type);
    }
    for (String mapping : List.of("uidMappings", "gidMappings")) {
      linux
          .putArray(mapping)
          .addObject()
          .put("containerID", 0)
          .put("hostID", IdRange.SHIFTED.first())
          .put("size", IdRange.SHIFTED.size());
    }
    addResources(linux.putObject("resources"));
    linux.set("seccomp", seccomp.profile());
    HIDDEN.forEach(linux.putArray("maskedPaths")::add);
    READ_ONLY.forEach(linux.putArray("readonlyPaths")::add);
  }

  private void addResources(ObjectNode resources) throws IOException {
    long bytes = environment.memoryMib() * MIB;
    ObjectNode memory = resources.putObject("memory").put("limit", bytes);
    if (swapCounted) {
      memory.put("swap", bytes);
    }
    resources
        .putObject("cpu")
        .put("shares", Math.clamp(environment.milliCpus() * 1024L / 1000, 2, 262_144))
        .put("quota", environment.milliCpus() * (CPU_PERIOD_MICROS / 1000))
        .put("period", CPU_PERIOD_MICROS);
    resources.putObject("pids").put("limit", environment.pidsLimit() + Cgroups.RESERVED_PIDS);
    ArrayNode devices = resources.putArray("devices");
    devices.addObject().put("allow", false).put("access", "rwm");
    for (ContainerEdits.DeviceNode device : edits.devices()) {
      DeviceNumber number = DeviceNumber.of(Path.of(device.hostPath()));
      devices
          .addObject()
          .put("allow", true)
          .put("type", "c")
          .put("major", number.major())
          .put("minor", number.minor())
          .put("access", device.access());
    }
  }

  /** The number by which the kernel knows a device. */
  record DeviceNumber(long major, long minor) {
    static DeviceNumber of(Path device) throws IOException {
      long number = (long) Files.getAttribute(device, "unix:rdev");
      long major = (number >> 8 & 0xfff) | (number >> 32 & ~0xfffL);
      long minor = (number & 0xff) | (number >> 12 & ~0xffL);
      return new DeviceNumber(major, minor & 0xffff_ffffL);
    }
  }
}
