package gpuaas.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/** Argon2id with the parameters that RFC 9106 gives for little memory: 64 MiB, three passes. */
final class Passwords {

  private static final int MEMORY_KIB = 64 * 1024;
  private static final int PASSES = 3;
  private static final SecureRandom RANDOM = new SecureRandom();

  private Passwords() {}

  static String hash(String password) {
    byte[] salt = new byte[16];
    RANDOM.nextBytes(salt);
    Base64.Encoder base64 = Base64.getEncoder().withoutPadding();
    return "argon2id$"
        + base64.encodeToString(salt)
        + "$"
        + base64.encodeToString(derive(password, salt));
  }

  /** Takes as long for a wrong password as for the right one. */
  static boolean matches(String password, String hash) {
    String[] parts = hash.split("\\$");
    if (parts.length != 3 || !parts[0].equals("argon2id")) {
      throw new IllegalStateException("a password hash of an unknown form");
    }
    Base64.Decoder base64 = Base64.getDecoder();
    return MessageDigest.isEqual(
        derive(password, base64.decode(parts[1])), base64.decode(parts[2]));
  }

  private static byte[] derive(String password, byte[] salt) {
    Argon2BytesGenerator generator = new Argon2BytesGenerator();
    generator.init(
        new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
            .withSalt(salt)
            .withMemoryAsKB(MEMORY_KIB)
            .withIterations(PASSES)
            .withParallelism(1)
            .build());
    byte[] derived = new byte[32];
    generator.generateBytes(password.getBytes(UTF_8), derived);
    return derived;
  }
}
