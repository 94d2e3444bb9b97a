package gpuaas.gpudev;

import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * What clients may see of an extension, and when. They take their first look after asking for it as
 * what it was before, and wait until it differs: so the old end is shown for a while, and until one
 * look was answered (contract 14.4). The lease itself has its new end at once.
 *
 * <p>Kept in memory, by the server that was asked: nobody waits for long.
 */
final class Extensions {

  private static final Duration SHOWN_LEAST = Duration.ofSeconds(3);
  private static final Duration SHOWN_MOST = Duration.ofSeconds(60);
  private static final int KEPT_MOST = 10_000;

  private final Map<UUID, Extension> latest = new LinkedHashMap<>();

  /** An end to show, and for how long it is then. */
  record Shown(Instant end, Duration term) {}

  private record Extension(
      Optional<Shown> before, Optional<String> error, Instant askedAt, boolean seen) {}

  /** It was extended; this is how it was. */
  synchronized void granted(UUID job, Shown before, Instant now) {
    // Whoever asks twice within the while still sees how it was at first.
    Optional<Shown> older = shown(job, now, false);
    put(job, new Extension(older.or(() -> Optional.of(before)), Optional.empty(), now, false));
  }

  /** It was not extended. */
  synchronized void refused(UUID job, String why, Instant now) {
    put(job, new Extension(Optional.empty(), Optional.of(why), now, false));
  }

  private void put(UUID job, Extension extension) {
    latest.remove(job);
    latest.put(job, extension);
    Iterator<UUID> oldest = latest.keySet().iterator();
    while (latest.size() > KEPT_MOST) {
      oldest.next();
      oldest.remove();
    }
  }

  /**
   * The end to show in place of the real one; empty: the real one.
   *
   * @param look true: its owner looks at this very job
   */
  synchronized Optional<Shown> shown(UUID job, Instant now, boolean look) {
    Extension extension = latest.get(job);
    if (extension == null || extension.before().isEmpty()) {
      return Optional.empty();
    }
    boolean young = now.isBefore(extension.askedAt().plus(SHOWN_LEAST));
    boolean waiting = !extension.seen() && now.isBefore(extension.askedAt().plus(SHOWN_MOST));
    if (!young && !waiting) {
      latest.remove(job);
      return Optional.empty();
    }
    if (look) {
      latest.put(
          job, new Extension(extension.before(), Optional.empty(), extension.askedAt(), true));
    }
    return extension.before();
  }

  /** Why the last one was refused. */
  synchronized Optional<String> error(UUID job) {
    return Optional.ofNullable(latest.get(job)).flatMap(Extension::error);
  }
}
