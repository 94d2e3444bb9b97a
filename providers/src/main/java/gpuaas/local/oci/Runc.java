package gpuaas.local.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import gpuaas.local.linux.Command;
import gpuaas.local.linux.Processes.Identity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The program {@code runc}.
 *
 * @param program where it is
 * @param stateFolder where it notes what it started
 */
record Runc(Path program, Path stateFolder) {

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final long TIMEOUT_SECONDS = 30;

  /** Starts a container in the background. */
  void run(String id, Path bundle) throws IOException {
    Path log = bundle.resolve("runc.log");
    List<String> command = base();
    command.addAll(List.of("--log", log.toString(), "run", "--detach"));
    command.addAll(List.of("--bundle", bundle.toString(), id));
    if (Command.runSilently(TIMEOUT_SECONDS, command) != 0) {
      String said = Files.exists(log) ? Files.readString(log).strip() : "without a word";
      throw new IOException("runc could not start " + id + ": " + said);
    }
  }

  /**
   * The command line that starts a process in a container.
   *
   * @param pidFile where its number on the host is written
   */
  List<String> execCommand(
      String id,
      String cgroup,
      Path pidFile,
      boolean terminal,
      Map<String, String> variables,
      List<String> command) {
    List<String> line = base();
    line.addAll(List.of("exec", "--cgroup", cgroup, "--pid-file", pidFile.toString()));
    if (terminal) {
      line.add("--tty");
    }
    new TreeMap<>(variables).forEach((name, value) -> line.addAll(env(name, value)));
    line.add(id);
    line.addAll(command);
    return line;
  }

  /** Forgets a container whose processes have ended, and runs its last hooks. */
  void delete(String id) throws IOException {
    if (!Files.isDirectory(stateFolder.resolve(id))) {
      return;
    }
    List<String> command = base();
    command.addAll(List.of("delete", "--force", id));
    Command.runSilently(TIMEOUT_SECONDS, command);
  }

  /** The first process of a container, as runc noted it. */
  Optional<Identity> firstProcess(String id) throws IOException {
    Path state = stateFolder.resolve(id).resolve("state.json");
    if (!Files.exists(state)) {
      return Optional.empty();
    }
    JsonNode json = JSON.readTree(Files.readAllBytes(state));
    long pid = json.path("init_process_pid").asLong();
    long startTicks = json.path("init_process_start").asLong();
    return pid == 0 ? Optional.empty() : Optional.of(new Identity(pid, startTicks));
  }

  private List<String> base() {
    return new ArrayList<>(List.of(program.toString(), "--root", stateFolder.toString()));
  }

  private static List<String> env(String name, String value) {
    return List.of("--env", name + "=" + value);
  }
}
