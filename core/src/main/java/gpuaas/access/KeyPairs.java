package gpuaas.access;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.interfaces.RSAPrivateCrtKey;
import java.util.Base64;
import java.util.Iterator;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.io.der.DERWriter;
import org.apache.sshd.common.util.security.SecurityUtils;

/** Makes and reads key pairs in the formats of OpenSSH. */
public final class KeyPairs {

  private static final int RSA_BITS = 4096;
  private static final int ASN1_SEQUENCE = 0x30;

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
   * Makes a new RSA pair of 4096 bits, its private half in the PEM form of PKCS #1. Takes a second
   * or more of a processor.
   */
  public static Pair makeRsa(String comment) {
    try {
      KeyPair keys = KeyUtils.generateKeyPair(KeyPairProvider.SSH_RSA, RSA_BITS);
      return new Pair(publicKey(keys, comment), pem((RSAPrivateCrtKey) keys.getPrivate()), keys);
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("no RSA keys on this machine", e);
    }
  }

  /** PKCS #1: a sequence of whole numbers, the first of which is the version, 0. */
  private static String pem(RSAPrivateCrtKey key) throws IOException {
    try (DERWriter numbers = new DERWriter();
        DERWriter sequence = new DERWriter()) {
      numbers.writeBigInteger(BigInteger.ZERO);
      numbers.writeBigInteger(key.getModulus());
      numbers.writeBigInteger(key.getPublicExponent());
      numbers.writeBigInteger(key.getPrivateExponent());
      numbers.writeBigInteger(key.getPrimeP());
      numbers.writeBigInteger(key.getPrimeQ());
      numbers.writeBigInteger(key.getPrimeExponentP());
      numbers.writeBigInteger(key.getPrimeExponentQ());
      numbers.writeBigInteger(key.getCrtCoefficient());
      sequence.write(ASN1_SEQUENCE);
      byte[] content = numbers.toByteArray();
      sequence.writeLength(content.length);
      sequence.write(content);
      String text =
          Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(sequence.toByteArray());
      return "-----BEGIN RSA PRIVATE KEY-----\n" + text + "\n-----END RSA PRIVATE KEY-----\n";
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
