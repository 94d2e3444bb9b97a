package gpuaas.access;

import java.math.BigInteger;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.util.Arrays;

/** The inside of a public key: whether it is what its type says, whole, and strong enough. */
final class SshKeyBlob {

  private static final int FEWEST_RSA_BITS = 2048;
  private static final int MOST_RSA_BITS = 16_384;
  private static final int LONGEST_APPLICATION = 255;

  private final ByteBuffer bytes;

  private SshKeyBlob(byte[] bytes) {
    this.bytes = ByteBuffer.wrap(bytes);
  }

  /** Throws an {@link IllegalArgumentException} with a sentence if anything is wrong. */
  static void check(String type, byte[] bytes) {
    SshKeyBlob blob = new SshKeyBlob(bytes);
    try {
      blob.check(type);
    } catch (BufferUnderflowException _) {
      throw damaged();
    }
  }

  private void check(String type) {
    if (!text().equals(type)) {
      throw new IllegalArgumentException(
          "The key is of another type than the line says. Copy the whole line again.");
    }
    switch (type) {
      case "ssh-ed25519" -> need(string().length == 32);
      case "sk-ssh-ed25519@openssh.com" -> {
        need(string().length == 32);
        application();
      }
      case "ssh-rsa" -> rsa();
      case "sk-ecdsa-sha2-nistp256@openssh.com" -> {
        point("nistp256");
        application();
      }
      default -> point(type.substring("ecdsa-sha2-".length()));
    }
    need(!bytes.hasRemaining());
  }

  private void rsa() {
    BigInteger exponent = positive();
    BigInteger modulus = positive();
    need(exponent.testBit(0) && exponent.compareTo(BigInteger.TWO) > 0 && modulus.testBit(0));
    if (modulus.bitLength() < FEWEST_RSA_BITS) {
      throw new IllegalArgumentException(
          "An RSA key of "
              + modulus.bitLength()
              + " bits is too weak; 2048 are needed. Better: ssh-keygen -t ed25519");
    }
    need(modulus.bitLength() <= MOST_RSA_BITS && exponent.bitLength() <= 64);
  }

  private void point(String curve) {
    need(text().equals(curve));
    byte[] point = string();
    ECParameterSpec spec = spec(curve);
    BigInteger prime = ((ECFieldFp) spec.getCurve().getField()).getP();
    int side = (prime.bitLength() + 7) / 8;
    need(point.length == 1 + 2 * side && point[0] == 4);
    BigInteger x = new BigInteger(1, Arrays.copyOfRange(point, 1, 1 + side));
    BigInteger y = new BigInteger(1, Arrays.copyOfRange(point, 1 + side, point.length));
    need(x.compareTo(prime) < 0 && y.compareTo(prime) < 0);
    BigInteger right =
        x.pow(3).add(spec.getCurve().getA().multiply(x)).add(spec.getCurve().getB()).mod(prime);
    need(y.multiply(y).mod(prime).equals(right));
  }

  private static ECParameterSpec spec(String curve) {
    try {
      AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
      parameters.init(new ECGenParameterSpec(curve.replace("nistp", "secp") + "r1"));
      return parameters.getParameterSpec(ECParameterSpec.class);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private void application() {
    byte[] application = string();
    need(application.length > 0 && application.length <= LONGEST_APPLICATION);
  }

  /** A positive number in its shortest form, so that one key has one blob. */
  private BigInteger positive() {
    byte[] number = string();
    need(number.length > 0 && number[0] >= 0);
    need(number[0] != 0 || (number.length > 1 && number[1] < 0));
    return new BigInteger(number);
  }

  private String text() {
    return new String(string(), StandardCharsets.US_ASCII);
  }

  private byte[] string() {
    int length = bytes.getInt();
    need(length >= 0 && length <= bytes.remaining());
    byte[] string = new byte[length];
    bytes.get(string);
    return string;
  }

  private static void need(boolean right) {
    if (!right) {
      throw damaged();
    }
  }

  private static IllegalArgumentException damaged() {
    return new IllegalArgumentException("The key is damaged. Copy the whole line again.");
  }
}
