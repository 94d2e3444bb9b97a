package gpuaas.local.oci;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Version 1: a hierarchy for each controller; also when version 2 is mounted beside it. */
final class CgroupsV1 extends Cgroups {

  private final Path root;

  CgroupsV1(Path root, String base) {
    super(base);
    this.root = root;
  }

  @Override
  public String kind() {
    return Files.exists(root.resolve("unified/cgroup.controllers"))
        ? "hybrid (controllers on version 1)"
        : "version 1";
  }

  @Override
  void split(String id, int pidsLimit) throws IOException {
    Path group = pidsFolder(id);
    limitPids(group.resolve(PAYLOAD), pidsLimit);
    limitPids(group.resolve(ADMIN), RESERVED_PIDS);
    moveAll(group, group.resolve(PAYLOAD));
    Files.createDirectories(killFolder(id).resolve(NETWORK));
  }

  @Override
  String execArgument(String part) {
    // Only this hierarchy is split; in the others a command joins the environment's one group.
    return "pids:/" + part;
  }

  @Override
  Path pidsFolder(String id) {
    return root.resolve("pids").resolve(base()).resolve(id);
  }

  @Override
  Path killFolder(String id) {
    return root.resolve("freezer").resolve(base()).resolve(id);
  }

  @Override
  void killAll(String id) throws IOException {
    // Frozen, nobody can fork away from the list that is being killed.
    Path state = killFolder(id).resolve("freezer.state");
    Files.writeString(state, "FROZEN");
    try {
      killEach(processes(killFolder(id)));
    } finally {
      Files.writeString(state, "THAWED");
    }
  }

  @Override
  List<Path> folders(String id) {
    return baseFolders().stream().map(folder -> folder.resolve(id)).toList();
  }

  @Override
  List<Path> baseFolders() {
    try (Stream<Path> hierarchies = Files.list(root)) {
      return hierarchies
          .filter(folder -> !Files.isSymbolicLink(folder))
          .map(folder -> folder.resolve(base()))
          .filter(Files::isDirectory)
          .toList();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  @Override
  boolean holdsProcessors(String id) {
    List<String> quota =
        words(root.resolve("cpu").resolve(base()).resolve(id).resolve("cpu.cfs_quota_us"));
    return !quota.isEmpty() && !quota.getFirst().equals("-1");
  }

  @Override
  Optional<Duration> processorTime(String id) {
    Path nanos = root.resolve("cpuacct").resolve(base()).resolve(id).resolve("cpuacct.usage");
    return words(nanos).stream().findFirst().map(Long::valueOf).map(Duration::ofNanos);
  }

  @Override
  Path memoryEvents(String id) {
    return root.resolve("memory").resolve(base()).resolve(id).resolve("memory.oom_control");
  }

  @Override
  boolean countsSwap() {
    return Files.exists(root.resolve("memory/memory.memsw.limit_in_bytes"));
  }
}
