package gpuaas.base;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Base64;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Encrypts what must be kept but not read by whoever sees the database: AES-256-GCM under a key in
 * a file.
 */
public final class SecretBox {

  private static final int NONCE_BYTES = 12;
  private static final int TAG_BITS = 128;
  private static final SecureRandom RANDOM = new SecureRandom();

  private final SecretKeySpec key;

  private SecretBox(byte[] key) {
    this.key = new SecretKeySpec(key, "AES");
  }

  /**
   * The box whose key is in this file; makes the file, readable by its owner alone, when it is not
   * there.
   */
  public static SecretBox open(Path file) throws IOException {
    if (!Files.exists(file)) {
      byte[] fresh = new byte[32];
      RANDOM.nextBytes(fresh);
      var ownerOnly =
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
      Files.createFile(file, ownerOnly);
      Files.writeString(file, Base64.getEncoder().encodeToString(fresh), StandardOpenOption.DSYNC);
    }
    byte[] key = Base64.getDecoder().decode(Files.readString(file).strip());
    if (key.length != 32) {
      throw new IOException(
          file
              + " does not hold a key of 32 bytes; put the original back, or what was encrypted is"
              + " lost");
    }
    return new SecretBox(key);
  }

  /** The text, encrypted. {@code purpose} must be given again to open it. */
  public String seal(String text, String purpose) {
    byte[] nonce = new byte[NONCE_BYTES];
    RANDOM.nextBytes(nonce);
    byte[] sealed = run(Cipher.ENCRYPT_MODE, nonce, text.getBytes(UTF_8), purpose);
    Base64.Encoder base64 = Base64.getEncoder();
    return base64.encodeToString(nonce) + "." + base64.encodeToString(sealed);
  }

  /**
   * The text again. Throws {@link IllegalStateException} when it was changed or sealed under
   * another key.
   */
  public String unseal(String sealed, String purpose) {
    String[] parts = sealed.split("\\.", 2);
    Base64.Decoder base64 = Base64.getDecoder();
    return new String(
        run(Cipher.DECRYPT_MODE, base64.decode(parts[0]), base64.decode(parts[1]), purpose), UTF_8);
  }

  private byte[] run(int mode, byte[] nonce, byte[] input, String purpose) {
    try {
      Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
      cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
      cipher.updateAAD(purpose.getBytes(UTF_8));
      return cipher.doFinal(input);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(
          "what is kept under " + purpose + " does not open with this key", e);
    }
  }
}
