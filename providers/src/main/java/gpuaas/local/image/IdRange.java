package gpuaas.local.image;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;

/**
 * The user and group ids of the host that stand for 0 and up inside an environment.
 *
 * @param first what root inside is outside
 */
public record IdRange(int first, int size) {

  /** For everything made by root. Far from the ids of people and services. */
  public static final IdRange SHIFTED = new IdRange(200_000, 65_536);

  /** For somebody who is not root: the files stay their own. */
  public static final IdRange UNSHIFTED = new IdRange(0, Integer.MAX_VALUE);

  /** Whether a file's owner and group are of this range. */
  public boolean owns(Path file) throws IOException {
    return has(id(file, "unix:uid")) && has(id(file, "unix:gid"));
  }

  private static int id(Path file, String which) throws IOException {
    return (int) Files.getAttribute(file, which, LinkOption.NOFOLLOW_LINKS);
  }

  private boolean has(int id) {
    return id >= first && id < first + size;
  }

  /** Gives a file to an id inside. Never follows a link. */
  public void give(Path file, int uidInside, int gidInside) throws IOException {
    Object mode = Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
    Files.setAttribute(file, "unix:uid", first + uidInside, LinkOption.NOFOLLOW_LINKS);
    Files.setAttribute(file, "unix:gid", first + gidInside, LinkOption.NOFOLLOW_LINKS);
    int permissions = (int) mode & 07777;
    // A change of owner takes the set-user-id bits away; sudo inside needs them back.
    if ((permissions & 06000) != 0 && !Files.isSymbolicLink(file)) {
      Files.setAttribute(file, "unix:mode", (int) mode, LinkOption.NOFOLLOW_LINKS);
    }
  }

  /** Makes a folder that root inside may walk, and nobody else of the host but its root. */
  public void makePrivateFolder(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    give(folder, 0, 0);
  }

  /** Moves a whole tree that is owned by the host's ids into this range, once. */
  public void shift(Path root) throws IOException {
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes)
              throws IOException {
            return visitFile(folder, attributes);
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            int uid = id(file, "unix:uid");
            int gid = id(file, "unix:gid");
            if (!has(uid) || !has(gid)) {
              give(file, uid % size, gid % size);
            }
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
