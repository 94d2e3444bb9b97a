package gpuaas.audit;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;

/**
 * What binds an entry of the trail to all before it.
 *
 * @param position 1, 2, 3 and so on
 * @param entry whose seal it is
 * @param hash SHA-256 over the hash of the seal before and the entry
 */
record Seal(long position, long entry, BigInteger hash) {

  private static final int BYTES = 32;

  /** The seal of an entry after another; empty: it is the first. */
  static Seal after(Optional<Seal> last, Entry next) {
    return new Seal(last.map(Seal::position).orElse(0L) + 1, next.id(), hash(last, next));
  }

  /** True when this is the seal of the entry, after that one. */
  boolean fits(Optional<Seal> last, Entry of) {
    return position == last.map(Seal::position).orElse(0L) + 1 && hash.equals(hash(last, of));
  }

  private static BigInteger hash(Optional<Seal> last, Entry of) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(last.map(Seal::bytes).orElse(new byte[BYTES]));
      digest.update(of.canonical().getBytes(StandardCharsets.UTF_8));
      return new BigInteger(1, digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The hash, 32 bytes. */
  byte[] bytes() {
    return HexFormat.of().parseHex(text());
  }

  /** The hash, 64 digits. */
  String text() {
    String digits = hash.toString(16);
    return "0".repeat(2 * BYTES - digits.length()) + digits;
  }
}
