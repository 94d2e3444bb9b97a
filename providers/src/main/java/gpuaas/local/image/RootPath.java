package gpuaas.local.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * Finds files of a root folder as its own programs would: a link is followed inside the folder,
 * wherever it points. For folders that nobody changes meanwhile.
 */
public final class RootPath {

  private static final int MOST_LINKS = 40;

  private RootPath() {}

  /**
   * The place of a file on the host.
   *
   * @param inside an absolute path as seen from inside
   * @return empty: there is none, or its links go round in circles
   */
  public static Optional<Path> find(Path root, String inside) {
    Deque<String> left = new ArrayDeque<>();
    push(left, inside);
    Path at = root;
    int links = 0;
    while (!left.isEmpty()) {
      String name = left.pop();
      if (name.isEmpty() || name.equals(".")) {
        continue;
      }
      if (name.equals("..")) {
        Path parent = at.getParent();
        at = at.equals(root) || parent == null ? root : parent;
        continue;
      }
      Path next = at.resolve(name);
      Optional<String> target = link(next);
      if (target.isEmpty()) {
        at = next;
      } else if (++links > MOST_LINKS) {
        return Optional.empty();
      } else {
        at = target.get().startsWith("/") ? root : at;
        push(left, target.get());
      }
    }
    return Optional.of(at).filter(path -> Files.exists(path, LinkOption.NOFOLLOW_LINKS));
  }

  private static void push(Deque<String> left, String path) {
    String[] names = path.split("/");
    for (int i = names.length - 1; i >= 0; i--) {
      left.push(names[i]);
    }
  }

  private static Optional<String> link(Path path) {
    if (!Files.isSymbolicLink(path)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Files.readSymbolicLink(path).toString());
    } catch (IOException gone) {
      return Optional.empty();
    }
  }
}
