package gpuaas.local.disk;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/**
 * What is on a disk, as lines for people. Names are a tenant's: they may hold anything, and folders
 * may become links while they are looked at.
 */
final class DiskContent {

  private static final int LINES_MOST = 1000;
  private static final int DEPTH_MOST = 3;

  /** Of one folder; the rest is not even read. */
  private static final int ENTRIES_MOST = 2 * LINES_MOST;

  private final List<String> lines = new ArrayList<>();

  private DiskContent() {}

  static String of(Path volume, long usedBytes) throws IOException {
    DiskContent content = new DiskContent();
    content.lines.add(size(usedBytes) + "\t/home/dev");
    content.lines.add("---");
    content.lines.add("/home/dev");
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(volume)) {
      if (!(stream instanceof SecureDirectoryStream<Path> folder)) {
        throw new IOException("folders cannot be read safely on this machine");
      }
      content.add(folder, "", 1);
    }
    List<String> lines = content.lines;
    if (lines.size() > LINES_MOST) {
      lines = new ArrayList<>(lines.subList(0, LINES_MOST - 1));
      lines.add("…");
    }
    return String.join("\n", lines) + "\n";
  }

  private void add(SecureDirectoryStream<Path> folder, String indent, int depth)
      throws IOException {
    TreeMap<String, Path> entries = new TreeMap<>();
    Iterator<Path> rest = folder.iterator();
    while (rest.hasNext() && entries.size() < ENTRIES_MOST) {
      Path name = rest.next().getFileName();
      entries.put(shown(name.toString()) + '\0' + entries.size(), name);
    }
    Iterator<Path> names = entries.values().iterator();
    // One too many, to see that something is left out.
    while (names.hasNext() && lines.size() <= LINES_MOST) {
      Path name = names.next();
      boolean last = !names.hasNext();
      boolean isFolder = isFolder(folder, name);
      lines.add(indent + (last ? "└── " : "├── ") + shown(name.toString()) + (isFolder ? "/" : ""));
      if (isFolder && depth < DEPTH_MOST) {
        enter(folder, name, indent + (last ? "    " : "│   "), depth + 1);
      }
    }
  }

  private void enter(SecureDirectoryStream<Path> folder, Path name, String indent, int depth) {
    try (SecureDirectoryStream<Path> inner =
        folder.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
      add(inner, indent, depth);
    } catch (IOException goneMeanwhile) {
      return;
    }
  }

  private static boolean isFolder(SecureDirectoryStream<Path> folder, Path name)
      throws IOException {
    try {
      return folder
          .getFileAttributeView(name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
          .readAttributes()
          .isDirectory();
    } catch (NoSuchFileException goneMeanwhile) {
      return false;
    }
  }

  /** A name on one line, that cannot steer a terminal. */
  private static String shown(String name) {
    return name.replaceAll("[\\p{Cc}\\p{Cf}\\p{Co}\\p{Cn}\\p{Zl}\\p{Zp}]", "?");
  }

  /** As du would say it. */
  private static String size(long bytes) {
    double amount = bytes;
    int unit = 0;
    while (amount >= 1024 && unit < 5) {
      amount /= 1024;
      unit++;
    }
    if (unit == 0) {
      return Long.toString(bytes);
    }
    String number = amount < 10 ? "%.1f" : "%.0f";
    return String.format(Locale.ROOT, number, amount) + "KMGTP".charAt(unit - 1);
  }
}
