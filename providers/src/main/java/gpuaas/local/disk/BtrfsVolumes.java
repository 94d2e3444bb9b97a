package gpuaas.local.disk;

import gpuaas.local.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Volumes as btrfs subvolumes. Copies take no room until they differ; a limit counts everything
 * that can be read, shared or not.
 *
 * @param root where the file system is mounted
 * @param confined whether those who write cannot make subvolumes of their own, which no limit knows
 */
record BtrfsVolumes(Path root, boolean confined) implements Volumes {

  private static final long SECONDS = 120;

  /** A group's number, and the two sizes behind it. */
  private static final Pattern GROUP = Pattern.compile("^0/(\\d+)\\s+(\\d+)\\s+(\\d+)\\b.*");

  private static final Pattern SUBVOLUME = Pattern.compile("^ID (\\d+) gen .* path (.+)$");

  /** Numbers of subvolumes begin here; below are the file system's own. */
  private static final long FIRST_SUBVOLUME = 256;

  @Override
  public void make(Path volume) throws IOException {
    run("subvolume", "create", volume.toString());
  }

  @Override
  public void copy(Path from, Path to, boolean forKeeping) throws IOException {
    List<String> words = new ArrayList<>(List.of("subvolume", "snapshot"));
    if (forKeeping) {
      words.add("-r");
    }
    words.addAll(List.of(from.toString(), to.toString()));
    run(words.toArray(String[]::new));
  }

  @Override
  public void remove(Path volume) throws IOException {
    if (!Files.isDirectory(volume)) {
      return;
    }
    if (!btrfs("subvolume", "delete", volume.toString()).ok()) {
      // Somebody who was not confined has made some in it; the inner ones go first.
      for (Path inner : subvolumes().values().stream().sorted(Comparator.reverseOrder()).toList()) {
        if (inner.startsWith(volume) && !inner.equals(volume)) {
          run("subvolume", "delete", inner.toString());
        }
      }
      run("subvolume", "delete", volume.toString());
    }
  }

  @Override
  public void limit(Path volume, long bytes) throws IOException {
    run("qgroup", "limit", Long.toString(bytes), volume.toString());
  }

  @Override
  public Map<Path, Usage> usage(List<Path> volumes) throws IOException {
    Map<Long, Usage> groups = groups(run("qgroup", "show", "--raw", "-re", root.toString()));
    Map<Path, Usage> usage = new HashMap<>();
    subvolumes()
        .forEach((number, path) -> {
          Usage group = groups.get(number);
          if (group != null && volumes.contains(path)) {
            usage.put(path, group);
          }
        });
    return usage;
  }

  @Override
  public Usage usageNow(Path volume) throws IOException {
    String shown = run("qgroup", "show", "--sync", "--raw", "-re", "-f", volume.toString());
    return groups(shown).values().stream()
        .findFirst()
        .orElseThrow(() -> new IOException("btrfs does not count " + volume));
  }

  @Override
  public boolean counts() {
    return true;
  }

  @Override
  public boolean enforced() {
    return confined;
  }

  /** Begins to count what is in subvolumes; does nothing where that is done already. */
  void count() throws IOException {
    if (!btrfs("qgroup", "show", root.toString()).ok()) {
      run("quota", "enable", root.toString());
      run("quota", "rescan", "-w", root.toString());
    }
  }

  /**
   * Forgets the groups of subvolumes that are gone, oldest first, until the kernel refuses: it is
   * not done with that one yet, nor with the later ones, and there is a next time.
   */
  void forgetOldGroups() throws IOException {
    Set<Long> groups =
        new TreeSet<>(groups(run("qgroup", "show", "--raw", "-re", root.toString())).keySet());
    groups.removeAll(subvolumes().keySet());
    for (long number : groups) {
      if (number >= FIRST_SUBVOLUME
          && !btrfs("qgroup", "destroy", "0/" + number, root.toString()).ok()) {
        return;
      }
    }
  }

  private Map<Long, Path> subvolumes() throws IOException {
    Map<Long, Path> subvolumes = new HashMap<>();
    for (String line : run("subvolume", "list", root.toString()).split("\n")) {
      Matcher matcher = SUBVOLUME.matcher(line);
      if (matcher.matches()) {
        subvolumes.put(Long.valueOf(matcher.group(1)), root.resolve(matcher.group(2)));
      }
    }
    return subvolumes;
  }

  private static Map<Long, Usage> groups(String shown) {
    Map<Long, Usage> groups = new HashMap<>();
    for (String line : shown.split("\n")) {
      Matcher matcher = GROUP.matcher(line);
      if (matcher.matches()) {
        groups.put(
            Long.valueOf(matcher.group(1)),
            new Usage(
                Long.parseLong(matcher.group(2)),
                OptionalLong.of(Long.parseLong(matcher.group(3)))));
      }
    }
    return groups;
  }

  private static String run(String... words) throws IOException {
    Command.Result result = btrfs(words);
    if (!result.ok()) {
      throw new IOException(
          "btrfs " + words[0] + " " + words[1] + " failed: " + result.output().strip());
    }
    return result.output();
  }

  private static Command.Result btrfs(String... words) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(
        Command.find("btrfs")
            .orElseThrow(() -> new IOException("btrfs is not installed (Debian: btrfs-progs)"))
            .toString());
    command.addAll(Arrays.asList(words));
    return Command.run(SECONDS, command);
  }
}
