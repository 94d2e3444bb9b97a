package gpuaas.access;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.util.Iterator;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.security.SecurityUtils;

/** Makes and reads key pairs in the formats of OpenSSH. */
public final class KeyPairs {

  private KeyPairs() {}

  /**
   * A pair of keys.
   *
   * @param privateKey the text of a private key file without a passphrase: a secret
   */
  public record Pair(SshKey publicKey, String privateKey, KeyPair keys) {
    @Override
    public String toString() {
      return "Pair[" + publicKey.fingerprint() + "]"; // never the secret
    }
  }

  /** Makes a new ed25519 pair; the comment goes into both files. */
  public static Pair make(String comment) {
    try {
      return pair(KeyUtils.generateKeyPair(KeyPairProvider.SSH_ED25519, 256), comment);
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("no ed25519 keys on this machine", e);
    }
  }

  /**
   * Reads a private key file that has no passphrase.
   *
   * @throws IllegalArgumentException when it is not one
   */
  public static Pair read(String privateKey) {
    try {
      Iterable<KeyPair> found =
          SecurityUtils.loadKeyPairIdentities(
              null,
              NamedResource.ofName("private key"),
              new ByteArrayInputStream(privateKey.getBytes(StandardCharsets.UTF_8)),
              null);
      Iterator<KeyPair> pairs = found == null ? null : found.iterator();
      if (pairs == null || !pairs.hasNext()) {
        throw new IllegalArgumentException("This is not a private key without a passphrase.");
      }
      KeyPair keys = pairs.next();
      return new Pair(publicKey(keys, ""), privateKey, keys);
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalArgumentException("This is not a private key without a passphrase.", e);
    }
  }

  private static Pair pair(KeyPair keys, String comment)
      throws IOException, GeneralSecurityException {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    OpenSSHKeyPairResourceWriter.INSTANCE.writePrivateKey(keys, comment, null, file);
    return new Pair(publicKey(keys, comment), file.toString(StandardCharsets.UTF_8), keys);
  }

  private static SshKey publicKey(KeyPair keys, String comment) {
    return SshKey.parse(PublicKeyEntry.toString(keys.getPublic()) + " " + comment);
  }
}
