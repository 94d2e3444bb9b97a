package gpuaas.local.oci;

import gpuaas.local.linux.SystemCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * The control groups of our environments, for kernels with version 1, version 2, or both.
 *
 * <pre>
 * BASE/ID            memory, processors, devices, and pids with the reserve: made by the runtime
 * BASE/ID/payload    pids: where the environment lives, and where commands are put
 * BASE/ID/admin      pids: the reserve; commands are put here while payload is full
 * BASE/ID/network    the helper of the outbound network, so that it ends with the environment
 * </pre>
 *
 * <p>Memory and processors are limited at the top, so that a shell in the reserve counts too. Only
 * the number of processes is split: a fork bomb fills {@code payload}, and the next shell still has
 * {@value #RESERVED_PIDS} of its own to end it with.
 */
public abstract sealed class Cgroups permits CgroupsV1, CgroupsV2 {

  /** Processes for shells while an environment has used up its own. */
  public static final int RESERVED_PIDS = 128;

  static final String PAYLOAD = "payload";
  static final String ADMIN = "admin";
  static final String NETWORK = "network";

  /** With fewer free than this, or than a quarter, a command starts in the reserve. */
  private static final int LEAST_FREE_PIDS = 16;

  private static final long KILL_SECONDS = 10;

  private final String base;

  Cgroups(String base) {
    this.base = base;
  }

  /**
   * What this kernel has.
   *
   * @param base the group above all environments of one provider
   */
  public static Cgroups detect(String base) {
    Path root = Path.of("/sys/fs/cgroup");
    return Files.exists(root.resolve("cgroup.controllers"))
        ? new CgroupsV2(root, base)
        : new CgroupsV1(root, base);
  }

  /** One word or two for the doctor. */
  public abstract String kind();

  /** The group of an environment, as the OCI configuration names it. */
  final String pathOf(String id) {
    return "/" + base + "/" + id;
  }

  final String base() {
    return base;
  }

  /** Splits the group that the runtime made, and moves what is in it to the payload. */
  abstract void split(String id, int pidsLimit) throws IOException;

  /** What {@code runc exec --cgroup} calls a part of an environment's group. */
  abstract String execArgument(String part);

  /** The group in which processes are counted. */
  abstract Path pidsFolder(String id);

  /** The group whose members are all of an environment's processes. */
  abstract Path killFolder(String id);

  /** Kills everything in the group, at once. */
  abstract void killAll(String id) throws IOException;

  /** Every folder that this environment's group has, in any hierarchy. */
  abstract List<Path> folders(String id);

  /** Every folder of the base group. */
  abstract List<Path> baseFolders();

  /** Whether the kernel has taken a limit on processors. */
  abstract boolean holdsProcessors(String id);

  /** What all processes of the group have used of processors; empty when it is not counted. */
  abstract Optional<Duration> processorTime(String id);

  /** How many processes of the group were ended for lack of memory; 0 when it is not counted. */
  final int memoryKills(String id) {
    List<String> words = words(memoryEvents(id));
    int name = words.indexOf("oom_kill");
    return name < 0 ? 0 : (int) Math.min(Integer.MAX_VALUE, Long.parseLong(words.get(name + 1)));
  }

  /** Where the kernel counts {@code oom_kill}. */
  abstract Path memoryEvents(String id);

  /** Whether the kernel counts swap, which a limit must then cover. */
  abstract boolean countsSwap();

  /** Where the next command goes: the payload, or the reserve when that is full. */
  final String partWithRoom(String id, int pidsLimit) throws IOException {
    Path payload = pidsFolder(id).resolve(PAYLOAD);
    int used = Integer.parseInt(Files.readString(payload.resolve("pids.current")).strip());
    // A bomb that grows at this very moment can still be quicker than the look; the next try is
    // not.
    int least = Math.min(pidsLimit / 2, Math.max(LEAST_FREE_PIDS, pidsLimit / 4));
    return pidsLimit - used < least ? ADMIN : PAYLOAD;
  }

  /** The file that a process writes its number to, to be ended with the environment. */
  final Path networkProcesses(String id) {
    return killFolder(id).resolve(NETWORK).resolve("cgroup.procs");
  }

  /** Ends every process of an environment, and waits until none is left. */
  final void end(String id) throws IOException {
    Path folder = killFolder(id);
    if (!Files.isDirectory(folder)) {
      return;
    }
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(KILL_SECONDS);
    while (!processes(folder).isEmpty()) {
      if (System.nanoTime() > deadline) {
        throw new IOException("processes of " + id + " do not end: " + processes(folder));
      }
      killAll(id);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }

  /** Removes an environment's groups, and ends whatever entered them at the last moment. */
  final void remove(String id) throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(KILL_SECONDS);
    while (true) {
      try {
        for (Path folder : folders(id)) {
          removeTree(folder);
        }
        return;
      } catch (FileSystemException inUse) {
        if (System.nanoTime() > deadline) {
          throw inUse;
        }
        end(id);
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
      }
    }
  }

  /** Removes the base group if no environment is in it. */
  final void removeBase() {
    for (Path folder : baseFolders()) {
      try {
        Files.deleteIfExists(folder);
      } catch (IOException inUse) {
        // Another environment lives in it, or is about to.
      }
    }
  }

  /** Every process in a group and below it. */
  static Set<Long> processes(Path folder) throws IOException {
    Set<Long> pids = new LinkedHashSet<>();
    try (Stream<Path> parts = Files.walk(folder)) {
      for (Path part : parts.filter(Files::isDirectory).toList()) {
        pids.addAll(members(part));
      }
    } catch (NoSuchFileException | UncheckedIOException gone) {
      return pids;
    }
    return pids;
  }

  static List<Long> members(Path folder) throws IOException {
    try {
      return Files.readAllLines(folder.resolve("cgroup.procs")).stream()
          .map(Long::valueOf)
          .filter(pid -> pid > 0)
          .toList();
    } catch (NoSuchFileException gone) {
      return List.of();
    }
  }

  static void killEach(Set<Long> pids) throws IOException {
    for (long pid : pids) {
      SystemCalls.kill(pid, SystemCalls.SIGKILL);
    }
  }

  /** The words in a file of a group; none when there is no such file. */
  static List<String> words(Path file) {
    try {
      return List.of(Files.readString(file).strip().split("\\s+"));
    } catch (IOException absent) {
      return List.of();
    }
  }

  /** Makes a part with a limit on processes, and moves every process of the group to it. */
  static void moveAll(Path group, Path part) throws IOException {
    for (int round = 0; round < 100; round++) {
      List<Long> pids = members(group);
      if (pids.isEmpty()) {
        return;
      }
      for (long pid : pids) {
        try {
          Files.writeString(part.resolve("cgroup.procs"), Long.toString(pid));
        } catch (IOException endedMeanwhile) {
          // The next round sees that it is gone, or tries again.
        }
      }
    }
    throw new IOException("the processes of " + group + " could not be moved");
  }

  static void limitPids(Path part, int limit) throws IOException {
    Files.createDirectories(part);
    Files.writeString(part.resolve("pids.max"), Integer.toString(limit));
  }

  private static void removeTree(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    List<Path> deepestFirst;
    try (Stream<Path> parts = Files.walk(folder)) {
      deepestFirst = parts.filter(Files::isDirectory).sorted((a, b) -> b.compareTo(a)).toList();
    }
    for (Path part : deepestFirst) {
      Files.deleteIfExists(part);
    }
  }
}
