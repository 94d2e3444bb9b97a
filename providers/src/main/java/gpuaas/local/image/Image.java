package gpuaas.local.image;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;

/**
 * The files that an environment starts from; never written to.
 *
 * @param name as asked for; {@code host} for the host's own programs
 * @param root the folder to lay the environment's own files over
 * @param hostFolders folders of the host to show read-only at the same place
 */
public record Image(String name, Path root, List<Path> hostFolders) {

  /** The name of the image that is the host's own programs. */
  public static final String HOST = "host";

  public Image {
    hostFolders = List.copyOf(hostFolders);
  }

  /** Whether its programs are the host's. */
  public boolean isHost() {
    return name.equals(HOST);
  }

  /** The best shell that it has. */
  public String shell() {
    return has("/bin/bash") ? "/bin/bash" : "/bin/sh";
  }

  private boolean has(String program) {
    if (isHost()) {
      return Files.isExecutable(Path.of(program));
    }
    // Its links are only right from inside, so the place behind /bin is looked at too.
    return Files.exists(root.resolve(program.substring(1)), LinkOption.NOFOLLOW_LINKS)
        || Files.exists(root.resolve("usr" + program), LinkOption.NOFOLLOW_LINKS);
  }
}
