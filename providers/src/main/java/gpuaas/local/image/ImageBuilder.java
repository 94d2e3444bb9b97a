package gpuaas.local.image;

import gpuaas.local.EnvironmentFolder;
import gpuaas.local.linux.Command;
import gpuaas.local.linux.SystemCalls;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Builds images. The ownership is moved into the range of environments once, here; so starting from
 * an image costs the same whatever its size.
 */
public final class ImageBuilder {

  /** What a pleasant machine to develop on has, beside the smallest Debian. */
  private static final String PACKAGES =
      "ca-certificates,curl,git,htop,iproute2,iputils-ping,jupyter-notebook,less,nano,openssh-sftp-server,"
          + "procps,python3,python3-ipykernel,python3-pip,python3-venv,rsync,sudo,tmux,unzip,vim-tiny,wget,xz-utils";

  private static final List<String> LEFT_OUT =
      List.of("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*");

  private static final long BUILD_SECONDS = 1800;

  private final Path imageFolder;
  private final Consumer<String> say;

  /**
   * Prepares building.
   *
   * @param imageFolder where images are looked for
   * @param say told of each step
   */
  public ImageBuilder(Path imageFolder, Consumer<String> say) {
    this.imageFolder = imageFolder;
    this.say = say;
  }

  /** How an image is kept. */
  public enum Form {
    /** A folder: needs no mount, takes more room. */
    FOLDER,
    /** One compressed file. */
    SQUASHFS
  }

  /**
   * Builds a Debian for development.
   *
   * @param suite such as {@code bookworm}
   * @return the folder or file
   * @throws IOException when a tool fails; nothing is left of the image then
   */
  public Path buildDebian(String name, String suite, Form form) throws IOException {
    if (!suite.matches("[a-z]{2,20}")) {
      throw new IllegalArgumentException("not a Debian suite: " + suite);
    }
    List<String> command =
        new ArrayList<>(List.of("mmdebstrap", "--mode=root", "--variant=minbase"));
    command.add("--include=" + PACKAGES);
    for (String pattern : LEFT_OUT) {
      command.add("--dpkgopt=path-exclude=" + pattern);
    }
    command.add("--aptopt=Acquire::Languages \"none\"");
    return build(
        name,
        form,
        root -> {
          say.accept("Fetching and unpacking Debian " + suite + "; this takes a few minutes.");
          command.add(suite);
          command.add(root.toString());
          require(command);
        });
  }

  /** Makes an image of a root folder that is there already, such as an unpacked archive. */
  public Path importFolder(String name, Path folder, Form form) throws IOException {
    if (!Files.isDirectory(folder.resolve("bin")) && !Files.isDirectory(folder.resolve("usr"))) {
      throw new IllegalArgumentException(folder + " is no root folder: neither bin nor usr in it");
    }
    return build(
        name, form, root -> require(List.of("cp", "-a", folder.toString(), root.toString())));
  }

  private interface Step {
    void fill(Path root) throws IOException;
  }

  private Path build(String name, Form form, Step step) throws IOException {
    Images.requireName(name);
    if (!SystemCalls.isRoot()) {
      throw new IllegalArgumentException("images are built by root, who may give files away");
    }
    Path result = imageFolder.resolve(form == Form.FOLDER ? name : name + ".squashfs");
    if (Files.exists(imageFolder.resolve(name))
        || Files.exists(imageFolder.resolve(name + ".squashfs"))) {
      throw new FileAlreadyExistsException(
          imageFolder.resolve(name).toString(), null, "an image of this name is there already");
    }
    Files.createDirectories(imageFolder);
    // A name that no image can have, so that half an image is never found.
    Path draft = imageFolder.resolve("." + name + ".draft");
    Path draftFile = imageFolder.resolve("." + name + ".squashfs");
    try {
      EnvironmentFolder.deleteTree(draft);
      step.fill(draft);
      finish(draft);
      if (form == Form.SQUASHFS) {
        say.accept("Packing it into one file.");
        require(
            List.of(
                "mksquashfs",
                draft.toString(),
                draftFile.toString(),
                "-comp",
                "zstd",
                "-noappend",
                "-quiet",
                "-no-progress"));
      }
      Files.move(form == Form.FOLDER ? draft : draftFile, result);
    } finally {
      EnvironmentFolder.deleteTree(draft);
      Files.deleteIfExists(draftFile);
    }
    say.accept("Image " + name + " is ready: " + result);
    return result;
  }

  /** What every image needs to be greeted, to be whole, and to belong to environments. */
  private void finish(Path root) throws IOException {
    say.accept("Giving its files to the users of environments.");
    Set<String> folders = new TreeSet<>(Set.of("dev", "etc", "proc", "root", "sys", "tmp", "usr"));
    for (String folder : folders) {
      Files.createDirectories(root.resolve(folder));
    }
    Path profiles = Files.createDirectories(root.resolve("etc/profile.d"));
    Path greeting = profiles.resolve("gpuaas.sh");
    Files.writeString(greeting, SkeletonFiles.PROFILE);
    Files.setPosixFilePermissions(greeting, PosixFilePermissions.fromString("rw-r--r--"));
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
    IdRange.SHIFTED.shift(root);
  }

  private static void require(List<String> command) throws IOException {
    Command.Result result = Command.run(BUILD_SECONDS, command);
    if (!result.ok()) {
      String said = result.output().strip();
      throw new IOException(
          command.getFirst() + " failed: " + said.substring(Math.max(0, said.length() - 2000)));
    }
  }
}
