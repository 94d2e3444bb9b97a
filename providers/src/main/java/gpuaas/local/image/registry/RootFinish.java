package gpuaas.local.image.registry;

import gpuaas.local.image.IdRange;
import gpuaas.local.image.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Makes an unpacked root one that an environment can be laid over. */
final class RootFinish {

  /** Folders that must be there, and be folders: a link in their place could lead astray. */
  private static final Map<String, Integer> FOLDERS = new LinkedHashMap<>();

  static {
    for (String name : List.of("dev", "etc", "proc", "run", "sys", "usr")) {
      FOLDERS.put(name, 0755);
    }
    FOLDERS.put("root", 0700);
    FOLDERS.put("tmp", 01777);
  }

  private RootFinish() {}

  /** Finishes it, or says why nobody could log in to it. */
  static void finish(Reference reference, Path root) throws IOException {
    for (Map.Entry<String, Integer> folder : FOLDERS.entrySet()) {
      Path path = root.resolve(folder.getKey());
      if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
        Files.deleteIfExists(path);
        Files.createDirectory(path);
        IdRange.SHIFTED.give(path, 0, 0);
        Files.setAttribute(path, "unix:mode", folder.getValue());
      }
    }
    Files.setAttribute(root, "unix:mode", 0755);
    Image image = new Image(reference.text(), root, List.of());
    for (String program : List.of("sh", "sleep")) {
      if (!image.has("/bin/" + program) && !image.has("/usr/bin/" + program)) {
        throw Manifest.unusable(
            reference, "it has no program " + program + ", so nobody could log in");
      }
    }
    if (!image.has("/bin/sh")) {
      throw Manifest.unusable(reference, "it has no /bin/sh, so nobody could log in");
    }
  }
}
