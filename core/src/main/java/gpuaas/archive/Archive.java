package gpuaas.archive;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * The files of one lease, kept or lost.
 *
 * @param name who they are for: the next lease of the project with this name begins with them
 * @param file what keeps them; empty: they are lost, and {@code problem} says why
 * @param keptUntil when they are forgotten
 */
public record Archive(
    UUID lease,
    UUID project,
    String name,
    Optional<Kept> file,
    String problem,
    Instant madeAt,
    Instant keptUntil) {

  private static final int NAME_LENGTH_MOST = 300;

  /**
   * Whose files.
   *
   * @param name for whom; of a longer one the beginning counts
   */
  public record Owner(UUID lease, UUID project, String name) {

    public Owner {
      name = name.substring(0, Math.min(NAME_LENGTH_MOST, name.length()));
    }
  }

  /**
   * A file in the folder of archives.
   *
   * @param bytes as kept, that is compressed
   * @param sha256 in hexadecimal, of the file as it is
   */
  public record Kept(String fileName, long bytes, String sha256) {}

  /** True when its files are there. */
  public boolean isKept() {
    return file.isPresent();
  }
}
