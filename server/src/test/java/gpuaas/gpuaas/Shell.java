package gpuaas.gpuaas;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Programs of this machine as a user runs them: bash, and OpenSSH's client. */
public final class Shell {

  private Shell() {}

  /** What a program wrote, and how it ended. */
  public record Ran(int exit, String out, String err) {}

  /** Runs a script, with variables. */
  public static Ran bash(String script, Map<String, String> variables) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("bash", "-c", script);
    builder.environment().putAll(variables);
    return run(builder);
  }

  /** Writes a private key as ssh wants to find it. */
  public static Path keyFile(Path folder, KeyPairs.Pair pair) throws IOException {
    Path file = Files.writeString(folder.resolve("client-key"), pair.privateKey());
    return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }

  /** The command line that enters an allocation. */
  public static List<String> ssh(JsonNode connection, Path key, String... command) {
    List<String> line = new ArrayList<>(List.of("ssh", "-i", key.toString()));
    for (String option :
        List.of(
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "LogLevel=ERROR",
            "IdentitiesOnly=yes",
            "BatchMode=yes")) {
      line.addAll(List.of("-o", option));
    }
    line.addAll(List.of("-p", connection.path("port").asText()));
    line.add(connection.path("username").asText() + "@" + connection.path("host").asText());
    line.addAll(List.of(command));
    return line;
  }

  /** Runs a command inside. */
  public static Ran inside(JsonNode connection, Path key, String command) throws Exception {
    return run(new ProcessBuilder(ssh(connection, key, command)));
  }

  private static Ran run(ProcessBuilder builder) throws Exception {
    Path errors = Files.createTempFile("gpuaas-shell", ".err");
    try {
      Process process = builder.redirectError(errors.toFile()).start();
      process.getOutputStream().close();
      String out = new String(process.getInputStream().readAllBytes(), UTF_8);
      return new Ran(process.waitFor(), out, Files.readString(errors));
    } finally {
      Files.deleteIfExists(errors);
    }
  }
}
