package gpuaas.local.oci;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

/** Version 2: one hierarchy for all controllers. */
final class CgroupsV2 extends Cgroups {

  private final Path root;

  CgroupsV2(Path root, String base) {
    super(base);
    this.root = root;
  }

  @Override
  public String kind() {
    return "version 2";
  }

  @Override
  void split(String id, int pidsLimit) throws IOException {
    Path group = pidsFolder(id);
    for (String part : List.of(PAYLOAD, ADMIN, NETWORK)) {
      Files.createDirectories(group.resolve(part));
    }
    // A group with members cannot pass controllers on, so they are moved first.
    moveAll(group, group.resolve(PAYLOAD));
    Files.writeString(group.resolve("cgroup.subtree_control"), "+pids");
    limitPids(group.resolve(PAYLOAD), pidsLimit);
    limitPids(group.resolve(ADMIN), RESERVED_PIDS);
  }

  @Override
  String execArgument(String part) {
    return part;
  }

  @Override
  Path pidsFolder(String id) {
    return root.resolve(base()).resolve(id);
  }

  @Override
  Path killFolder(String id) {
    return pidsFolder(id);
  }

  @Override
  void killAll(String id) throws IOException {
    Path kill = killFolder(id).resolve("cgroup.kill");
    if (Files.exists(kill)) {
      Files.writeString(kill, "1");
    } else {
      killEach(processes(killFolder(id)));
    }
  }

  @Override
  List<Path> folders(String id) {
    return List.of(pidsFolder(id));
  }

  @Override
  List<Path> baseFolders() {
    return List.of(root.resolve(base()));
  }

  @Override
  boolean holdsProcessors(String id) {
    List<String> most = words(pidsFolder(id).resolve("cpu.max"));
    return !most.isEmpty() && !most.getFirst().equals("max");
  }

  @Override
  Optional<Duration> processorTime(String id) {
    List<String> words = words(pidsFolder(id).resolve("cpu.stat"));
    int name = words.indexOf("usage_usec");
    return name < 0
        ? Optional.empty()
        : Optional.of(Duration.of(Long.parseLong(words.get(name + 1)), ChronoUnit.MICROS));
  }

  @Override
  Path memoryEvents(String id) {
    return pidsFolder(id).resolve("memory.events");
  }

  @Override
  boolean countsSwap() {
    return Files.exists(Path.of("/proc/swaps"));
  }
}
