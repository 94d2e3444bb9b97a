package gpuaas.local.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * The root folder for environments that use the host's own programs: everything but {@code /usr},
 * which is the host's and read-only. What is copied from the host's {@code /etc} is a short list of
 * files that any user may read.
 */
final class HostSkeleton {

  /** Folders of a root, with their permissions. */
  private static final Map<String, String> FOLDERS =
      Map.ofEntries(
          Map.entry("etc", "rwxr-xr-x"),
          Map.entry("dev", "rwxr-xr-x"),
          Map.entry("proc", "rwxr-xr-x"),
          Map.entry("sys", "rwxr-xr-x"),
          Map.entry("run", "rwxr-xr-x"),
          Map.entry("run/lock", "rwxrwxrwx"),
          Map.entry("home", "rwxr-xr-x"),
          Map.entry("opt", "rwxr-xr-x"),
          Map.entry("srv", "rwxr-xr-x"),
          Map.entry("mnt", "rwxr-xr-x"),
          Map.entry("media", "rwxr-xr-x"),
          Map.entry("root", "rwx------"),
          Map.entry("tmp", "rwxrwxrwx"),
          Map.entry("usr", "rwxr-xr-x"),
          Map.entry("var", "rwxr-xr-x"),
          Map.entry("var/tmp", "rwxrwxrwx"),
          Map.entry("var/log", "rwxr-xr-x"),
          Map.entry("var/cache", "rwxr-xr-x"),
          Map.entry("var/lib", "rwxr-xr-x"),
          Map.entry("var/spool", "rwxr-xr-x"));

  /** On most hosts links into /usr; where they are folders, they are shown like /usr. */
  private static final List<String> PROGRAM_FOLDERS =
      List.of("bin", "sbin", "lib", "lib32", "lib64", "libx32");

  /** Copied from the host where they exist: what programs need, and no secret. */
  private static final List<String> COPIED =
      List.of(
          "alternatives",
          "ssl/certs",
          "ssl/openssl.cnf",
          "ca-certificates.conf",
          "ld.so.cache",
          "ld.so.conf",
          "ld.so.conf.d",
          "localtime",
          "services",
          "protocols",
          "mime.types",
          "inputrc",
          "terminfo",
          "debian_version",
          "os-release",
          "perl",
          "python3",
          "vim",
          "fonts");

  /** Most of the links among the alternatives; environments have no manual. */
  private static final String MANUAL_PAGE = ".gz";

  private HostSkeleton() {}

  /** The folders of the host that show through. */
  static List<Path> hostFolders() {
    List<Path> folders = new ArrayList<>(List.of(Path.of("/usr")));
    PROGRAM_FOLDERS.stream()
        .map(name -> Path.of("/" + name))
        .filter(path -> Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
        .forEach(folders::add);
    return folders;
  }

  /** Differs when the skeleton would be another one: the host was changed, or this class was. */
  static String version() {
    CRC32 sum = new CRC32();
    for (String name : COPIED) {
      try {
        Object changed = Files.getLastModifiedTime(Path.of("/etc", name)).toMillis();
        sum.update((name + changed + "/2").getBytes(StandardCharsets.UTF_8));
      } catch (IOException absent) {
        sum.update(0);
      }
    }
    return Long.toHexString(sum.getValue());
  }

  /** Makes it, owned by root inside. */
  static void make(Path root, IdRange ids) throws IOException {
    Files.createDirectories(root);
    for (String folder : FOLDERS.keySet().stream().sorted().toList()) {
      Files.createDirectories(root.resolve(folder));
      Files.setPosixFilePermissions(
          root.resolve(folder), PosixFilePermissions.fromString(FOLDERS.get(folder)));
    }
    for (String sticky : List.of("tmp", "var/tmp", "run/lock")) {
      Files.setAttribute(root.resolve(sticky), "unix:mode", 01777);
    }
    for (String name : PROGRAM_FOLDERS) {
      Path host = Path.of("/" + name);
      if (Files.isSymbolicLink(host)) {
        Files.createSymbolicLink(root.resolve(name), Files.readSymbolicLink(host));
      } else if (Files.isDirectory(host)) {
        Files.createDirectories(root.resolve(name));
      }
    }
    for (String name : COPIED) {
      copy(Path.of("/etc", name), root.resolve("etc").resolve(name));
    }
    for (Map.Entry<String, String> file : SkeletonFiles.ALL.entrySet()) {
      Path path = root.resolve(file.getKey());
      Files.writeString(path, file.getValue());
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-r--r--"));
    }
    Files.createSymbolicLink(root.resolve("etc/mtab"), Path.of("/proc/self/mounts"));
    Files.createSymbolicLink(root.resolve("var/run"), Path.of("/run"));
    Files.createSymbolicLink(root.resolve("var/lock"), Path.of("/run/lock"));
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
    if (ids.first() != 0) {
      ids.shift(root);
    }
  }

  /** Copies what everybody may read; leaves out the rest. */
  private static void copy(Path from, Path to) throws IOException {
    try {
      if (from.toString().endsWith(MANUAL_PAGE)) {
        return;
      }
      Files.createDirectories(to.getParent());
      if (Files.isSymbolicLink(from)) {
        Files.createSymbolicLink(to, Files.readSymbolicLink(from));
      } else if (!isForEverybody(from)) {
        return;
      } else if (Files.isDirectory(from)) {
        Files.createDirectories(to);
        try (Stream<Path> entries = Files.list(from)) {
          for (Path entry : entries.toList()) {
            copy(entry, to.resolve(entry.getFileName().toString()));
          }
        }
      } else if (Files.isRegularFile(from)) {
        Files.copy(from, to);
      }
    } catch (NoSuchFileException absent) {
      return;
    }
  }

  private static boolean isForEverybody(Path file) throws IOException {
    return ((int) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS) & 04) != 0;
  }
}
