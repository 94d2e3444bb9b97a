package gpuaas.local.image;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The files that an environment starts from; never written to.
 *
 * @param name as asked for; {@code host} for the host's own programs
 * @param root the folder to lay the environment's own files over
 * @param hostFolders folders of the host to show read-only at the same place
 * @param config of an image from a registry; empty: it was made for environments
 */
public record Image(String name, Path root, List<Path> hostFolders, Optional<ImageConfig> config) {

  /** The name of the image that is the host's own programs. */
  public static final String HOST = "host";

  public Image {
    hostFolders = List.copyOf(hostFolders);
  }

  /** One that was made for environments. */
  public Image(String name, Path root, List<Path> hostFolders) {
    this(name, root, hostFolders, Optional.empty());
  }

  /** Whether its programs are the host's. */
  public boolean isHost() {
    return name.equals(HOST);
  }

  /** The best shell that it has. */
  public String shell() {
    return has("/bin/bash") ? "/bin/bash" : "/bin/sh";
  }

  /** Whether something is at a place in it, as its own programs see it. */
  public boolean has(String inside) {
    if (isHost()) {
      return Files.exists(Path.of(inside));
    }
    return RootPath.find(root, inside).isPresent();
  }

  /** Whether a folder is there. */
  public boolean hasFolder(String inside) {
    return RootPath.find(root, inside).filter(Files::isDirectory).isPresent();
  }
}
