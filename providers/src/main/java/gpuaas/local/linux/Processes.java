package gpuaas.local.linux;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What /proc says of processes. Reading costs microseconds and starts nothing. */
public final class Processes {

  private Processes() {}

  /**
   * A process that cannot be mistaken for a later one with the same number.
   *
   * @param startTicks when it started, in the kernel's clock ticks since boot
   */
  public record Identity(long pid, long startTicks) {

    /** Whether it still lives; a zombie does not. */
    public boolean isAlive() {
      return read(pid).filter(stat -> stat.startTicks == startTicks && !stat.isDead()).isPresent();
    }
  }

  /** The identity of whoever has this number now. */
  public static Optional<Identity> identify(long pid) {
    return read(pid).map(stat -> new Identity(pid, stat.startTicks));
  }

  /** True when the process is in a cgroup whose path holds this text. */
  public static boolean isInCgroup(long pid, String text) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cgroup")).contains(text);
    } catch (IOException gone) {
      return false;
    }
  }

  private record Stat(char state, long startTicks) {
    boolean isDead() {
      return state == 'Z' || state == 'X';
    }
  }

  private static Optional<Stat> read(long pid) {
    try {
      String line = Files.readString(Path.of("/proc/" + pid + "/stat"));
      // The name in brackets may hold spaces and brackets; what follows the last one is regular.
      String[] fields = line.substring(line.lastIndexOf(')') + 2).split(" ");
      return Optional.of(new Stat(fields[0].charAt(0), Long.parseLong(fields[19])));
    } catch (IOException | RuntimeException gone) {
      return Optional.empty();
    }
  }
}
