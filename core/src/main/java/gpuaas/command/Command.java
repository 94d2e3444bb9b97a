package gpuaas.command;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;

/**
 * How far the command of a lease is.
 *
 * @param startedAt when it was begun
 * @param exit how it ended; empty: it goes on, or was ended with its environment
 * @param outputBytes what is kept of its output
 * @param problem why nothing is known of it; empty: nothing is wrong
 */
public record Command(
    UUID lease, Instant startedAt, Optional<Exit> exit, long outputBytes, String problem) {

  /**
   * Its end.
   *
   * @param code its exit code; 128 and the number of the signal that ended it
   */
  public record Exit(int code, Instant at) {

    /** True when it did what it was to do, by its own word. */
    public boolean isSuccess() {
      return code == 0;
    }
  }

  /** Its exit code, once it has one. */
  public OptionalInt exitCode() {
    return exit.map(end -> OptionalInt.of(end.code())).orElse(OptionalInt.empty());
  }

  /**
   * A part of its output.
   *
   * @param position of its first byte
   */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Output(long position, byte[] bytes) {

    /** Where the next part begins. */
    public long end() {
      return position + bytes.length;
    }
  }
}
