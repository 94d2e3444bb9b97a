package gpuaas.local;

import gpuaas.local.linux.Command;
import gpuaas.local.linux.SystemCalls;
import gpuaas.local.oci.Seccomp;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Installs what a Debian machine lacks to be a good provider. */
public final class HostSetup {

  private static final long INSTALL_SECONDS = 900;
  private static final Path SFTP_SERVER = Path.of("/usr/lib/openssh/sftp-server");

  /** What a program is for, and the Debian package that has it. */
  record Tool(String use, String debian) {}

  /** Programs that are used where they are there, in the order of their weight. */
  static final Map<String, Tool> TOOLS = new LinkedHashMap<>();

  static {
    TOOLS.put("runc", new Tool("environments", "runc"));
    TOOLS.put("slirp4netns", new Tool("their way to the network outside", "slirp4netns"));
    TOOLS.put("newuidmap", new Tool("user namespaces of other engines", "uidmap"));
    TOOLS.put("mksquashfs", new Tool("images in one file", "squashfs-tools"));
    TOOLS.put("mmdebstrap", new Tool("building images", "mmdebstrap"));
    TOOLS.put("mkfs.btrfs", new Tool("disks with quotas and snapshots", "btrfs-progs"));
    TOOLS.put("skopeo", new Tool("fetching images of registries", "skopeo"));
    TOOLS.put("umoci", new Tool("unpacking images of registries", "umoci"));
    TOOLS.put("ssh", new Tool("reaching environments from here", "openssh-client"));
    TOOLS.put("jupyter-notebook", new Tool("Jupyter in environments", "jupyter-notebook"));
    TOOLS.put("rsync", new Tool("copying files in and out", "rsync"));
  }

  private HostSetup() {}

  /** The Debian packages that are missing. Quick: looks for their files alone. */
  public static List<String> missingPackages() {
    List<String> missing = new ArrayList<>();
    TOOLS.forEach((program, tool) -> {
      if (Command.find(program).isEmpty()) {
        missing.add(tool.debian());
      }
    });
    if (!Files.exists(Seccomp.MAINTAINED)) {
      missing.add("golang-github-containers-common");
    }
    if (!Files.exists(SFTP_SERVER)) {
      missing.add("openssh-sftp-server");
    }
    return missing;
  }

  /**
   * Installs what is missing; does nothing when nothing is.
   *
   * @param say told beforehand what is going to be done, and afterwards how it went
   * @return whether the machine has everything now
   */
  public static boolean run(Consumer<String> say) throws IOException {
    List<String> missing = missingPackages();
    if (missing.isEmpty()) {
      say.accept("Everything is installed already.");
      return true;
    }
    String packages = String.join(" ", missing);
    if (!SystemCalls.isRoot() || Command.find("apt-get").isEmpty()) {
      say.accept("Missing: " + packages);
      say.accept(
          "This needs root on Debian: sudo apt-get install --no-install-recommends " + packages);
      return false;
    }
    say.accept("Installing with apt-get: " + packages);
    Command.Result updated = apt(List.of("update"));
    if (!updated.ok()) {
      say.accept("The package lists could not be updated; going on with those that are there.");
    }
    List<String> install = new ArrayList<>(List.of("install", "-y", "--no-install-recommends"));
    install.addAll(missing);
    Command.Result installed = apt(install);
    if (!installed.ok()) {
      say.accept("apt-get failed:\n" + installed.output().strip());
      return false;
    }
    say.accept("Installed.");
    return missingPackages().isEmpty();
  }

  private static Command.Result apt(List<String> arguments) throws IOException {
    List<String> command =
        new ArrayList<>(List.of("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"));
    command.addAll(arguments);
    return Command.run(INSTALL_SECONDS, command);
  }
}
