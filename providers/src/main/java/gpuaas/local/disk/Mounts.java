package gpuaas.local.disk;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What is mounted where, as the kernel says. */
final class Mounts {

  private Mounts() {}

  /**
   * The device, such as {@code /dev/loop0}, that is mounted at a place without blanks; of several,
   * the one on top.
   */
  static Optional<Path> deviceAt(Path target) throws IOException {
    Optional<Path> device = Optional.empty();
    for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) {
      // number parent device root target options [tags] - type source options
      String[] halves = line.split(" - ", 2);
      String place = halves[0].split(" ")[4];
      if (place.equals(target.toString())) {
        device = Optional.of(Path.of(halves[1].split(" ")[1]));
      }
    }
    return device;
  }

  /** The file behind a loop device; empty: none, or it was deleted. */
  static Optional<Path> fileBehind(Path device) {
    Path name = device.getFileName();
    Path note = Path.of("/sys/block", String.valueOf(name), "loop/backing_file");
    try {
      return Optional.of(Path.of(Files.readString(note).strip())).filter(Files::exists);
    } catch (IOException notALoop) {
      return Optional.empty();
    }
  }
}
