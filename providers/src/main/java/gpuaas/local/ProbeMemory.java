package gpuaas.local;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import gpuaas.local.Probe.Finding;
import gpuaas.local.linux.Command;
import gpuaas.local.oci.Seccomp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What probes found, kept in a file, so that a restart is quick. Forgotten when anything changed
 * that could change the result: the boot, the kernel, a program, the user, or this version.
 */
final class ProbeMemory {

  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** To be raised when drivers or the probe change. */
  private static final int VERSION = 1;

  private final Path file;
  private final String machine;
  private final Map<String, Finding> findings = new HashMap<>();

  private record Kept(String machine, Map<String, Finding> findings) {}

  private ProbeMemory(Path file, String machine) {
    this.file = file;
    this.machine = machine;
  }

  static ProbeMemory open(Path dataFolder, Host host) {
    String machine =
        Stream.of(
                host.bootId(),
                host.kernel(),
                Boolean.toString(host.root()),
                Integer.toString(VERSION),
                state("runc"),
                state("bwrap"),
                state("nsenter"),
                state("mkfs.btrfs"),
                state(Seccomp.MAINTAINED))
            .collect(Collectors.joining(" "));
    ProbeMemory memory = new ProbeMemory(dataFolder.resolve("probe.json"), machine);
    memory.load();
    return memory;
  }

  /** What is known of a driver or of disks, or what is found out now. Only success is kept. */
  synchronized Finding recall(String driver, Supplier<Finding> probe) throws IOException {
    Finding known = findings.get(driver);
    if (known != null) {
      return known;
    }
    Finding found = probe.get();
    if (found.works()) {
      findings.put(driver, found);
      JSON.writeValue(file.toFile(), new Kept(machine, findings));
    }
    return found;
  }

  private void load() {
    try {
      Kept kept = JSON.readValue(file.toFile(), new TypeReference<>() {});
      if (kept.machine.equals(machine)) {
        findings.putAll(kept.findings);
      }
    } catch (IOException | RuntimeException unreadable) {
      findings.clear();
    }
  }

  private static String state(String program) {
    return Command.find(program).map(ProbeMemory::state).orElse("-");
  }

  private static String state(Path file) {
    try {
      return List.of(Files.size(file), Files.getLastModifiedTime(file).toMillis()).toString();
    } catch (IOException absent) {
      return "-";
    }
  }
}
