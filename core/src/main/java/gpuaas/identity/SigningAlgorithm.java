package gpuaas.identity;

import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PublicKey;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;

/** How a service account signs; a key is good for one of them only. */
public enum SigningAlgorithm {
  RS256("RSA", "SHA256withRSA"),
  ES256("EC", "SHA256withECDSAinP1363Format"),
  EDDSA("Ed25519", "Ed25519");

  private static final int RSA_BITS_LEAST = 2048;
  private static final int RSA_BITS_MOST = 8192;
  private static final int PEM_LENGTH_MOST = 16 * 1024;

  /** The order of P-256; keys of other curves are refused. */
  private static final BigInteger P256_ORDER =
      new BigInteger("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16);

  private final String keyType;
  private final String signature;

  SigningAlgorithm(String keyType, String signature) {
    this.keyType = keyType;
    this.signature = signature;
  }

  /** The name in the header of a token, by RFC 7518 and RFC 8037. */
  public String headerName() {
    return this == EDDSA ? "EdDSA" : name();
  }

  /** The algorithm of this name. */
  public static Optional<SigningAlgorithm> of(String headerName) {
    return Arrays.stream(values()).filter(it -> it.headerName().equals(headerName)).findFirst();
  }

  /** A fresh pair. */
  public KeyPair generate() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(keyType);
      if (this == RS256) {
        generator.initialize(RSA_BITS_LEAST);
      } else if (this == ES256) {
        generator.initialize(new java.security.spec.ECGenParameterSpec("secp256r1"));
      }
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  /** True when this is a signature of the message by the holder of the key. */
  public boolean verify(byte[] publicKey, byte[] message, byte[] signed) {
    try {
      Signature check = Signature.getInstance(signature);
      check.initVerify(key(publicKey));
      check.update(message);
      return check.verify(signed);
    } catch (GeneralSecurityException e) {
      return false; // a signature of an impossible form, for one
    }
  }

  private PublicKey key(byte[] encoded) throws GeneralSecurityException {
    return KeyFactory.getInstance(keyType).generatePublic(new X509EncodedKeySpec(encoded));
  }

  /** A public key that is strong enough and what it signs with, from PEM; empty: it is none. */
  static Optional<Parsed> parse(String pem) {
    if (pem.length() > PEM_LENGTH_MOST || !pem.contains("-----BEGIN PUBLIC KEY-----")) {
      return Optional.empty();
    }
    byte[] encoded;
    try {
      encoded =
          Base64.getMimeDecoder()
              .decode(pem.replaceAll("-----(BEGIN|END) PUBLIC KEY-----", "").strip());
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    return Arrays.stream(values())
        .flatMap(
            algorithm -> algorithm.good(encoded).map(key -> new Parsed(algorithm, key)).stream())
        .findFirst();
  }

  private Optional<PublicKey> good(byte[] encoded) {
    try {
      PublicKey key = key(encoded);
      boolean good =
          switch (key) {
            case RSAPublicKey rsa ->
                rsa.getModulus().bitLength() >= RSA_BITS_LEAST
                    && rsa.getModulus().bitLength() <= RSA_BITS_MOST;
            case ECPublicKey ec -> ec.getParams().getOrder().equals(P256_ORDER);
            default -> true;
          };
      return Optional.of(key).filter(_ -> good);
    } catch (GeneralSecurityException e) {
      return Optional.empty();
    }
  }

  /** A public key and what it checks. */
  record Parsed(SigningAlgorithm algorithm, PublicKey key) {}

  /** What the holder keeps, as PEM. */
  static String pem(KeyPair pair) {
    return "-----BEGIN PRIVATE KEY-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'})
            .encodeToString(pair.getPrivate().getEncoded())
        + "\n-----END PRIVATE KEY-----\n";
  }
}
