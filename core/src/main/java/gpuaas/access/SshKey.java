package gpuaas.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Set;

/**
 * A public key that may open an instance.
 *
 * @param type such as {@code ssh-ed25519}
 * @param blob the key itself in base64, as it stands in the line
 * @param comment what follows the key; may be empty
 * @param fingerprint {@code SHA256:…}, as ssh-keygen prints it
 */
public record SshKey(String type, String blob, String comment, String fingerprint) {

  /** Every type that {@link #parse} accepts. */
  public static final Set<String> TYPES =
      Set.of(
          "ssh-ed25519",
          "ssh-rsa",
          "ecdsa-sha2-nistp256",
          "ecdsa-sha2-nistp384",
          "ecdsa-sha2-nistp521",
          "sk-ssh-ed25519@openssh.com",
          "sk-ecdsa-sha2-nistp256@openssh.com");

  private static final int LONGEST_LINE = 16 * 1024;
  private static final String WANTED =
      "Send one line as in a .pub file, such as 'ssh-ed25519 AAAA… name'.";

  /**
   * Reads one line of a {@code .pub} or {@code authorized_keys} file.
   *
   * @throws IllegalArgumentException with a sentence for whoever sent the line
   */
  public static SshKey parse(String line) {
    if (line.length() > LONGEST_LINE) {
      throw refused("The public key is longer than 16 KiB. " + WANTED);
    }
    if (line.contains("PRIVATE KEY") || line.startsWith("PuTTY-User-Key-File")) {
      throw refused(
          "This is a private key. Never send it to anybody: send the public key, from the .pub"
              + " file beside it, and make a new pair if this one has left your machine.");
    }
    if (line.contains("BEGIN SSH2 PUBLIC KEY")) {
      throw refused("This is the SSH2 format; convert it with: ssh-keygen -i -f key.pub");
    }
    String text = line.strip();
    if (text.isEmpty()) {
      throw refused("The public key is empty. " + WANTED);
    }
    if (text.indexOf('\n') >= 0 || text.indexOf('\r') >= 0) {
      throw refused("The public key has several lines. " + WANTED);
    }
    if (text.chars().anyMatch(c -> Character.isISOControl(c) && c != '\t')) {
      throw refused("The public key contains control characters. " + WANTED);
    }
    String[] parts = text.split("[ \t]+", 3);
    checkType(parts);
    byte[] bytes = decode(parts[1]);
    SshKeyBlob.check(parts[0], bytes);
    String comment = parts.length > 2 ? parts[2] : "";
    return new SshKey(
        parts[0], Base64.getEncoder().encodeToString(bytes), comment, fingerprint(bytes));
  }

  /** The fingerprint of a key in its wire form, as ssh-keygen prints it. */
  public static String fingerprint(byte[] bytes) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      return "SHA256:" + Base64.getEncoder().withoutPadding().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The key in the form of the SSH protocol. */
  public byte[] bytes() {
    return Base64.getDecoder().decode(blob);
  }

  /** The line of a {@code .pub} or {@code authorized_keys} file. */
  public String line() {
    return comment.isEmpty() ? type + " " + blob : type + " " + blob + " " + comment;
  }

  private static void checkType(String[] parts) {
    String type = parts[0];
    if (type.equals("ssh-dss")) {
      throw refused("DSA keys are too weak. Make a new one with: ssh-keygen -t ed25519");
    }
    if (type.contains("-cert-v0")) {
      throw refused("This is a certificate. Send the public key that it was made for.");
    }
    if (!TYPES.contains(type)) {
      if (parts.length > 1
          && TYPES.stream()
              .anyMatch(known -> (parts[1] + " " + parts[parts.length - 1]).contains(known))) {
        throw refused(
            "Options before the key, such as command=\"…\", are not supported. " + WANTED);
      }
      throw refused("This is not a public key of a known type. " + WANTED);
    }
    if (parts.length < 2) {
      throw refused("The key itself is missing behind its type. " + WANTED);
    }
  }

  private static byte[] decode(String blob) {
    try {
      return Base64.getDecoder().decode(blob.getBytes(StandardCharsets.US_ASCII));
    } catch (IllegalArgumentException _) {
      throw refused("The key is damaged: it is not base64. Copy the whole line again.");
    }
  }

  private static IllegalArgumentException refused(String sentence) {
    return new IllegalArgumentException(sentence);
  }
}
