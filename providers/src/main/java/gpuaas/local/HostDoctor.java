package gpuaas.local;

import gpuaas.local.Probe.Finding;
import gpuaas.local.disk.PoolPlace.Store;
import gpuaas.local.gpu.GpuInventory;
import gpuaas.local.gpu.GpuSources;
import gpuaas.local.image.registry.RegistryImages;
import gpuaas.local.linux.Command;
import gpuaas.local.oci.Cgroups;
import gpuaas.local.oci.Seccomp;
import gpuaas.spi.Assurance.Limit;
import gpuaas.spi.ProviderConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Says what this machine can do as a provider, what was tried, and what to install for more. */
public final class HostDoctor {

  private final ProviderConfig config;

  private HostDoctor(ProviderConfig config) {
    this.config = config;
  }

  /**
   * Looks at this machine. Tries each driver with an environment of its own, beside those that a
   * running server may have.
   *
   * @param dataFolder of the local provider
   * @param values its settings
   * @return lines to print
   * @throws IllegalArgumentException on a bad setting
   */
  public static String report(Path dataFolder, Map<String, String> values) throws IOException {
    // What it tries is apart from what a running server has, and one doctor looks at a time.
    Path own = Files.createDirectories(dataFolder.resolve("doctor"));
    Map<String, String> settings = new HashMap<>(values);
    settings.putIfAbsent("image-folder", dataFolder.resolve("images").toString());
    try (EnvironmentFolders _ = EnvironmentFolders.open(own)) {
      return new HostDoctor(
              new ProviderConfig("local", "doctor", own, InstantSource.system(), settings))
          .report();
    }
  }

  private String report() throws IOException {
    LocalSettings settings = LocalSettings.parse(config);
    Runtimes runtimes = Runtimes.of(config.dataFolder(), settings);
    Host host = runtimes.host();
    List<String> lines = new ArrayList<>();
    lines.add("Machine");
    add(lines, "name", host.name());
    add(lines, "kernel", host.kernel());
    add(lines, "processors", Integer.toString(host.processors()));
    add(lines, "memory", host.memoryMib() + " MiB");
    add(lines, "user", host.root() ? "root" : "not root: only bubblewrap can be used");
    add(lines, "cgroups", Cgroups.detect("gpuaas-doctor").kind());
    addDrivers(lines, runtimes);
    lines.add("GPUs");
    GpuInventory gpus = runtimes.gpus(GpuSources.ofThisMachine());
    add(lines, "in use", gpus.summary());
    gpus.findings().forEach(finding -> lines.add("  - " + finding));
    add(lines, "without", settings.cpuPlaces().count() + " places without GPUs");
    lines.add("Images");
    add(lines, "folder", settings.imageFolder().toString());
    add(lines, "names", String.join(", ", runtimes.images("runc").list()));
    String registries = host.root() ? "can be used" : "need root";
    add(lines, "of registries", RegistryImages.missing().orElse(registries));
    addDisks(lines, runtimes);
    addTools(lines);
    return String.join("\n", lines) + "\n";
  }

  private static void addDrivers(List<String> lines, Runtimes runtimes) {
    lines.add("Drivers, best first");
    String inUse = "";
    for (String name : runtimes.candidates()) {
      Finding finding = runtimes.probe(name);
      String limits =
          new TreeSet<>(finding.limits())
              .stream().map(HostDoctor::word).collect(Collectors.joining(", "));
      String words =
          finding.works()
              ? "works; isolation "
                  + finding.isolation().name().toLowerCase(Locale.ROOT)
                  + "; held to limits: "
                  + (limits.isEmpty() ? "nothing" : limits)
              : finding.words();
      add(lines, name, words);
      inUse = inUse.isEmpty() && finding.works() ? name : inUse;
    }
    add(lines, "in use", inUse.isEmpty() ? "none: run ./gpuaas host setup" : inUse);
    add(
        lines,
        "call filter",
        Files.isReadable(Seccomp.MAINTAINED)
            ? "the maintained profile"
            : "a short list of our own (Debian package golang-github-containers-common has the"
                + " maintained one)");
  }

  private static void addDisks(List<String> lines, Runtimes runtimes) {
    lines.add("Disks");
    if (runtimes.settings().diskPoolGib().filter(gib -> gib == 0).isPresent()) {
      add(lines, "in use", "none: disk-pool-gib is 0");
      return;
    }
    Finding finding = runtimes.probeDisks();
    add(
        lines,
        "btrfs",
        finding.works() ? "works; disks are held to their sizes by runc" : finding.words());
    boolean folders = !finding.works() || runtimes.settings().diskStore() == Store.FOLDERS;
    add(
        lines,
        "in use",
        folders ? "folders, which hold no disk to its size" : "btrfs, unless there are folders");
  }

  private static void addTools(List<String> lines) {
    lines.add("Tools");
    HostSetup.TOOLS.forEach((program, purpose) ->
        add(
            lines,
            program,
            Command.find(program)
                .map(Path::toString)
                .orElse("missing, for " + purpose.use() + " (Debian: " + purpose.debian() + ")")));
  }

  private static String word(Limit limit) {
    return limit.name().toLowerCase(Locale.ROOT);
  }

  private static void add(List<String> lines, String name, String value) {
    lines.add(String.format(Locale.ROOT, "  %-14s %s", name, value));
  }
}
