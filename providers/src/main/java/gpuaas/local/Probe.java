package gpuaas.local;

import gpuaas.local.gpu.ContainerEdits;
import gpuaas.local.image.Images;
import gpuaas.spi.Assurance.Isolation;
import gpuaas.spi.Assurance.Limit;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.OwnerTag;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Finds out what a driver is worth on this machine, by trying: one environment is made, made to
 * misbehave, looked at, and removed. What was not seen to work is not claimed.
 */
final class Probe {

  private static final int MEMORY_MIB = 64;
  private static final int PIDS = 24;
  private static final int KILLED = 137;
  private static final int MOST_WORDS = 600;

  /** Takes three times the memory that it may have: no line ends, so tail keeps it all. */
  private static final String HOG = "head -c 200000000 /dev/zero | tail -n 1 >/dev/null";

  /** Starts more processes than it may have. */
  private static final String BOMB =
      "i=0; while [ $i -lt " + 2 * PIDS + " ]; do sleep 60 >/dev/null 2>&1 & i=$((i+1)); done";

  /** Makes a device file of the machine's memory, and reads it. */
  private static final String DEVICE = "mknod /tmp/device c 1 1 && head -c 1 /tmp/device";

  private final Driver driver;
  private final Images images;
  private final Path folder;

  /**
   * Prepares a probe.
   *
   * @param folder for the throw-away environment; made and deleted here
   */
  Probe(Driver driver, Images images, Path folder) {
    this.driver = driver;
    this.images = images;
    this.folder = folder;
  }

  /**
   * What was found.
   *
   * @param works whether an environment came up, ran a command, and went without a trace
   * @param words one sentence for the doctor
   */
  record Finding(
      String driver, boolean works, Isolation isolation, Set<Limit> limits, String words) {

    Finding {
      limits = Set.copyOf(limits);
    }

    static Finding failed(String driver, String why) {
      return new Finding(driver, false, Isolation.BASIC, Set.of(), why);
    }
  }

  /** Tries. Never throws: a driver that fails is a finding too. */
  Finding run() {
    String id = Environment.idFor(new OwnerTag("probe", new UUID(0, System.nanoTime()), 1));
    EnvironmentFolder environment = new EnvironmentFolder(folder.resolve(id));
    Set<Limit> limits;
    try {
      removeEarlierOnes();
      limits = tryOut(environment);
    } catch (IOException | RuntimeException failure) {
      cleanUp(environment);
      return Finding.failed(driver.name(), reason(failure));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      cleanUp(environment);
      return Finding.failed(driver.name(), "interrupted");
    }
    String left = cleanUp(environment);
    return left.isEmpty()
        ? new Finding(driver.name(), true, driver.isolation(), limits, "works")
        : Finding.failed(driver.name(), left);
  }

  /** Of a probe that did not get to its end. */
  private void removeEarlierOnes() throws IOException {
    Files.createDirectories(folder);
    try (Stream<Path> entries = Files.list(folder)) {
      for (Path entry : entries.toList()) {
        EnvironmentFolder left = new EnvironmentFolder(entry);
        driver.remove(left);
        left.delete();
      }
    }
  }

  private Set<Limit> tryOut(EnvironmentFolder environment)
      throws IOException, InterruptedException {
    environment.make();
    Environment asked =
        new Environment(
            environment.id(),
            "",
            driver.name(),
            "",
            "probe",
            List.of(),
            1000,
            MEMORY_MIB,
            PIDS,
            Map.of(),
            "",
            "",
            "",
            null);
    environment.write(asked);
    driver.start(environment, asked, images.find(""), ContainerEdits.NONE, Optional.empty());
    require(run(environment, "test \"$(id -u)\" = 0") == 0, "a command inside did not run");
    Set<Limit> limits = EnumSet.noneOf(Limit.class);
    if (driver.holdsProcessors(environment)) {
      limits.add(Limit.CPU);
    }
    if (run(environment, DEVICE) != 0) {
      limits.add(Limit.DEVICES);
    }
    if (run(environment, HOG) == KILLED && driver.isAlive(environment)) {
      limits.add(Limit.MEMORY);
    }
    // Last, since it leaves the environment full; a shell must still open.
    if (run(environment, BOMB) != 0 && run(environment, "true") == 0) {
      limits.add(Limit.PIDS);
    }
    return limits;
  }

  private int run(EnvironmentFolder environment, String script)
      throws IOException, InterruptedException {
    ExecRequest request = new ExecRequest(List.of("sh", "-c", script), Optional.empty(), Map.of());
    try (ExecChannel channel = driver.exec(environment, request)) {
      return channel.waitFor();
    }
  }

  private String cleanUp(EnvironmentFolder environment) {
    try {
      driver.remove(environment);
      environment.delete();
      Files.deleteIfExists(folder);
      return driver.isAlive(environment) ? "its environments cannot be ended" : "";
    } catch (IOException | RuntimeException failure) {
      return "it leaves things behind: " + reason(failure);
    }
  }

  private static void require(boolean condition, String otherwise) throws IOException {
    if (!condition) {
      throw new IOException(otherwise);
    }
  }

  private static String reason(Exception failure) {
    String words = String.valueOf(failure.getMessage());
    return words.substring(0, Math.min(words.length(), MOST_WORDS));
  }
}
