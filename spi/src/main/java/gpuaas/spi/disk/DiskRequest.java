package gpuaas.spi.disk;

import gpuaas.spi.ProviderException.Rejected;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What is asked of a new disk.
 *
 * @param id the caller's name for it, see {@link #requireId}
 * @param sizeBytes what may be kept on it, at least {@link #LEAST_BYTES}
 * @param snapshot the snapshot that it begins as a copy of; empty: it begins empty
 */
public record DiskRequest(String id, long sizeBytes, Optional<String> snapshot) {

  /** The smallest disk. */
  public static final long LEAST_BYTES = 16L << 20;

  private static final Pattern ID = Pattern.compile("[a-z0-9][a-z0-9-]{0,63}");

  public DiskRequest {
    requireId(id);
    snapshot.ifPresent(DiskRequest::requireId);
    requireSize(sizeBytes);
  }

  /**
   * The id itself, if it can be that of a disk or snapshot: lower-case letters, digits and dashes,
   * at most 64, not beginning with a dash.
   *
   * @throws Rejected otherwise
   */
  public static String requireId(String id) {
    if (!ID.matcher(id).matches()) {
      String shown = id.length() > 80 ? id.substring(0, 80) + "…" : id;
      throw new Rejected(
          "a disk's or snapshot's id has lower-case letters, digits and dashes, at most 64: "
              + shown);
    }
    return id;
  }

  /**
   * The size itself, if a disk can have it.
   *
   * @throws Rejected otherwise
   */
  public static long requireSize(long sizeBytes) {
    if (sizeBytes < LEAST_BYTES) {
      throw new Rejected("a disk has at least " + LEAST_BYTES + " bytes, not " + sizeBytes);
    }
    return sizeBytes;
  }
}
