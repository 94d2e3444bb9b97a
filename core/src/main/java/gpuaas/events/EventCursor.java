package gpuaas.events;

import gpuaas.base.SecretBox;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.DeploymentFactStore;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.OptionalLong;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;

/**
 * Positions as the world sees them: one encrypted block, so that nobody learns from two of them how
 * much others do, and nobody makes one up.
 */
final class EventCursor {

  private static final long MARK = 0x6576656e74637572L;
  private static final int BLOCK_BYTES = 16;
  private static final int LENGTH = 22;
  private static final String FACT = "sealed-event-cursor-key";

  private final SecretKeySpec key;

  private EventCursor(String hexKey) {
    this.key = new SecretKeySpec(HexFormat.of().parseHex(hexKey), "AES");
  }

  /** The cursors of this deployment; they stay valid over restarts, on all servers. */
  static EventCursor open(Database database, SecretBox secrets) {
    String sealed =
        DeploymentFactStore.getOrMake(database, FACT, () -> secrets.seal(Secrets.hex(), FACT));
    return new EventCursor(secrets.unseal(sealed, FACT));
  }

  /** The text for a position. */
  String text(long position) {
    byte[] block = ByteBuffer.allocate(BLOCK_BYTES).putLong(MARK).putLong(position).array();
    return Base64.getUrlEncoder().withoutPadding().encodeToString(run(Cipher.ENCRYPT_MODE, block));
  }

  /** The position of a text; empty when it is none of ours. */
  OptionalLong position(String text) {
    if (text.length() != LENGTH) {
      return OptionalLong.empty();
    }
    try {
      ByteBuffer block =
          ByteBuffer.wrap(run(Cipher.DECRYPT_MODE, Base64.getUrlDecoder().decode(text)));
      return block.getLong() == MARK ? OptionalLong.of(block.getLong()) : OptionalLong.empty();
    } catch (IllegalArgumentException e) {
      return OptionalLong.empty();
    }
  }

  private byte[] run(int mode, byte[] block) {
    try {
      // One block that is never the same for two positions: there is nothing to chain.
      Cipher cipher = Cipher.getInstance("AES/ECB/NoPadding");
      cipher.init(mode, key);
      return cipher.doFinal(block);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
