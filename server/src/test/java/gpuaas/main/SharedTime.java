package gpuaas.main;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;

/**
 * A time that several processes have: it lags behind that of the system, and can leap forward.
 * Never ahead of it, as what picks due work goes by the system's.
 */
public final class SharedTime implements InstantSource {

  private final MappedByteBuffer lagMillis;

  private SharedTime(MappedByteBuffer lagMillis) {
    this.lagMillis = lagMillis;
  }

  /** The time of this file; a new one does not lag. */
  public static SharedTime open(Path file) throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      return new SharedTime(channel.map(FileChannel.MapMode.READ_WRITE, 0, Long.BYTES));
    }
  }

  /** Lags by so much, before anybody looks. */
  public SharedTime lagging(Duration lag) {
    lagMillis.putLong(0, lag.toMillis());
    return this;
  }

  @Override
  public Instant instant() {
    return Instant.now().minusMillis(lagMillis.getLong(0)).truncatedTo(ChronoUnit.MICROS);
  }

  /** Leaps forward, at most to the time of the system. */
  public void leap(Duration by) {
    lagMillis.putLong(0, Math.max(0, lagMillis.getLong(0) - by.toMillis()));
  }
}
