package gpuaas.local;

import gpuaas.local.Probe.Finding;
import gpuaas.local.bubblewrap.BubblewrapDriver;
import gpuaas.local.disk.DiskProbe;
import gpuaas.local.disk.PoolPlace;
import gpuaas.local.gpu.GpuInventory;
import gpuaas.local.gpu.GpuSources;
import gpuaas.local.image.IdRange;
import gpuaas.local.image.Images;
import gpuaas.local.image.registry.RegistryImages;
import gpuaas.local.linux.Command;
import gpuaas.local.oci.Cgroups;
import gpuaas.local.oci.GangNetwork;
import gpuaas.local.oci.OutboundNetwork;
import gpuaas.local.oci.RuncDriver;
import gpuaas.spi.Assurance.Isolation;
import gpuaas.spi.Assurance.Limit;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * The drivers that could be used here, best first. Each is tried out before it is used; the first
 * that works is taken.
 *
 * @param dataFolder of the provider
 * @param runtimeFolder for mounts and notes that do not outlive the machine's uptime
 * @param cgroup the name above all environments' control groups
 */
record Runtimes(
    Path dataFolder, Path runtimeFolder, String cgroup, LocalSettings settings, Host host) {

  private static final int TRIES_MOST = 3;

  /** A driver, the images for it, and what it is worth. */
  record Chosen(Driver driver, Images images, Finding finding) {}

  static Runtimes of(Path dataFolder, LocalSettings settings) {
    CRC32 sum = new CRC32();
    sum.update(dataFolder.toAbsolutePath().toString().getBytes(StandardCharsets.UTF_8));
    String key = Long.toHexString(sum.getValue());
    Path runtimeFolder = Path.of("/run/gpuaas").resolve(key);
    return new Runtimes(dataFolder, runtimeFolder, "gpuaas-" + key, settings, Host.read());
  }

  /**
   * The best driver that works.
   *
   * @throws IllegalArgumentException when none does, saying what to install
   */
  Chosen choose(ProbeMemory memory, StepHook steps) throws IOException {
    List<String> why = new ArrayList<>();
    for (String name : candidates()) {
      Finding finding = memory.recall(name, () -> probePatiently(name));
      if (finding.works()) {
        Driver driver = open(name, steps).orElseThrow();
        return new Chosen(driver, images(name), finding);
      }
      why.add(name + ": " + finding.words());
    }
    throw new IllegalArgumentException(
        "no driver works on this machine ("
            + String.join("; ", why)
            + "); run: ./gpuaas host setup, then ./gpuaas host doctor");
  }

  /** Names of drivers, in the order of preference. */
  List<String> candidates() {
    return switch (settings.driver()) {
      case AUTO -> List.of("runc", "bubblewrap");
      case RUNC, BUBBLEWRAP -> List.of(settings.driver().name().toLowerCase(Locale.ROOT));
    };
  }

  /**
   * Tries a driver up to three times: a machine that is busy at this moment must not end up with a
   * weaker driver for as long as the server runs.
   */
  private Finding probePatiently(String name) {
    Finding finding = probe(name);
    for (int tries = 1; !finding.works() && isThere(name) && tries < TRIES_MOST; tries++) {
      finding = probe(name);
    }
    return finding;
  }

  private boolean isThere(String name) {
    return Command.find(name.equals("bubblewrap") ? "bwrap" : name).isPresent()
        && (host.root() || !name.equals("runc"));
  }

  /** Tries one driver with an environment of its own. */
  Finding probe(String name) {
    // Apart from living environments, and at the same place each time: what a probe that was
    // killed has left is cleaned up by the next one.
    String apartName = "-probe";
    Path sibling = runtimeFolder.resolveSibling(runtimeFolder.getFileName() + apartName);
    Runtimes apart = new Runtimes(dataFolder, sibling, cgroup + apartName, settings, host);
    try (Images images = apart.images(name)) {
      Optional<Driver> driver = apart.open(name, StepHook.NONE);
      if (driver.isEmpty()) {
        return Finding.failed(name, missing(name));
      }
      try (Driver opened = driver.get()) {
        return new Probe(opened, images, dataFolder.resolve("probe-" + name)).run();
      }
    } catch (IOException failure) {
      return Finding.failed(name, String.valueOf(failure.getMessage()));
    }
  }

  private String missing(String name) {
    return switch (name) {
      case "runc" ->
          host.root() ? "not installed (Debian package runc)" : "needs root; this user is not root";
      default -> "not installed (Debian package bubblewrap)";
    };
  }

  private Optional<Driver> open(String name, StepHook steps) throws IOException {
    Optional<Path> program = Command.find(name.equals("bubblewrap") ? "bwrap" : name);
    if (program.isEmpty() || (name.equals("runc") && !host.root())) {
      return Optional.empty();
    }
    return Optional.of(
        name.equals("runc")
            ? new RuncDriver(
                program.get(), runtimeFolder, Cgroups.detect(cgroup), outbound(), gangs(), steps)
            : new BubblewrapDriver(program.get(), runtimeFolder, host.root(), steps));
  }

  private Optional<GangNetwork> gangs() {
    return Command.find("ip").map(_ -> new GangNetwork(settings.gangNetwork()));
  }

  private Optional<OutboundNetwork> outbound() {
    Optional<Path> slirp = Command.find("slirp4netns");
    return switch (settings.egress()) {
      case OFF -> Optional.empty();
      case AUTO -> slirp.map(OutboundNetwork::new);
      case SLIRP4NETNS ->
          Optional.of(
              new OutboundNetwork(
                  slirp.orElseThrow(() ->
                      new IllegalArgumentException(
                          "egress: slirp4netns is not installed (Debian package"
                              + " slirp4netns)"))));
    };
  }

  /**
   * Where the disks are; empty: switched off.
   *
   * @param confined whether the driver keeps environments from going round quotas
   * @param memory of what was tried before
   */
  Optional<PoolPlace> disks(boolean confined, String driver, ProbeMemory memory) {
    if (settings.diskPoolGib().filter(gib -> gib == 0).isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        new PoolPlace(
            dataFolder,
            runtimeFolder.resolve("disks"),
            settings.diskStore(),
            settings.diskPoolGib(),
            ids(driver),
            confined,
            host.root(),
            () -> recallDisks(memory)));
  }

  private Optional<String> recallDisks(ProbeMemory memory) {
    try {
      Finding finding = memory.recall("btrfs", this::probeDisks);
      return finding.works() ? Optional.empty() : Optional.of(finding.words());
    } catch (IOException failure) {
      return Optional.of(String.valueOf(failure.getMessage()));
    }
  }

  /** Tries disks with a small pool of their own. */
  Finding probeDisks() {
    if (!host.root()) {
      return Finding.failed("btrfs", "needs root; this user is not root");
    }
    Path target = runtimeFolder.resolveSibling(runtimeFolder.getFileName() + "-disk-probe");
    return new DiskProbe(dataFolder.resolve("probe-disks"), target)
        .whyNot()
        .map(why -> Finding.failed("btrfs", why))
        .orElse(new Finding("btrfs", true, Isolation.BASIC, Set.of(Limit.DISK), "works"));
  }

  private IdRange ids(String driver) {
    return driver.equals("runc") ? IdRange.SHIFTED : BubblewrapDriver.ids(host.root());
  }

  /** The GPUs to give away. */
  GpuInventory gpus(GpuSources sources) {
    return settings.gpuDiscovery()
        ? GpuInventory.find(settings.declaredGpus(), sources)
        : GpuInventory.declared(settings.declaredGpus(), List.of("not looked for: gpu-discovery"));
  }

  /** The images that come from elsewhere. */
  RegistryImages registryImages(InstantSource clock, StepHook steps) throws IOException {
    return RegistryImages.open(
        dataFolder.resolve("registry-images"),
        runtimeFolder,
        settings.registries(),
        clock,
        steps::afterPull);
  }

  /** The images, with the ownership that a driver's environments see. */
  Images images(String driver) {
    return new Images(
        settings.imageFolder(),
        dataFolder.resolve("skeletons"),
        runtimeFolder.resolve("images"),
        ids(driver));
  }
}
