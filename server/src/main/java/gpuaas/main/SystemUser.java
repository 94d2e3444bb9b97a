package gpuaas.main;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;

/** The system user that the embedded PostgreSQL runs as, for it refuses to run as root. */
record SystemUser(String name, Consumer<String> say) {

  /** Makes it, when we are root and it is not there. */
  void ensure() throws IOException {
    boolean root = "root".equals(System.getProperty("user.name"));
    boolean there =
        Files.readAllLines(Path.of("/etc/passwd")).stream()
            .anyMatch(line -> line.startsWith(name + ":"));
    if (!root || there) {
      return;
    }
    say.accept("Making the system user " + name + " to run PostgreSQL as.");
    try {
      Process useradd =
          new ProcessBuilder(
                  "useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name)
              .inheritIO()
              .start();
      if (useradd.waitFor() != 0) {
        throw new IOException("useradd ended with " + useradd.exitValue());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
