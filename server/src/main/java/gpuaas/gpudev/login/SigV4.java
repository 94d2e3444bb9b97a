package gpuaas.gpudev.login;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What the signature of a request must be (AWS Signature Version 4). The SDK's signer cannot be
 * asked: it signs headers of its own, which other clients do not send.
 */
final class SigV4 {

  private static final HexFormat HEX = HexFormat.of();

  private SigV4() {}

  /**
   * Is the signature this secret's? Takes as long whether it is or not.
   *
   * @param path as it was sent
   * @param query decoded
   * @param headers by names in lower case
   */
  static boolean matches(
      AwsSignature claimed,
      String secret,
      String method,
      String path,
      Map<String, List<String>> query,
      Map<String, String> headers,
      String body) {
    Optional<List<String>> values = claimed.valuesOf(headers);
    if (values.isEmpty()) {
      return false;
    }
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < claimed.signedHeaders().size(); i++) {
      String value = values.get().get(i).strip().replaceAll(" +", " ");
      lines.append(claimed.signedHeaders().get(i)).append(':').append(value).append('\n');
    }
    String canonical =
        String.join(
            "\n",
            method,
            encoded(path.isEmpty() ? "/" : path, true),
            canonical(query),
            lines,
            String.join(";", claimed.signedHeaders()),
            sha256(body));
    String toSign =
        String.join("\n", "AWS4-HMAC-SHA256", claimed.time(), claimed.scope(), sha256(canonical));
    byte[] key = ("AWS4" + secret).getBytes(UTF_8);
    for (String part : claimed.scopeParts()) {
      key = hmac(key, part);
    }
    return MessageDigest.isEqual(
        HEX.formatHex(hmac(key, toSign)).getBytes(UTF_8), claimed.signature().getBytes(UTF_8));
  }

  private static String canonical(Map<String, List<String>> query) {
    return query.entrySet().stream()
        .filter(parameter -> !parameter.getKey().equals("X-Amz-Signature"))
        .flatMap(parameter -> pairs(parameter.getKey(), parameter.getValue()))
        .sorted()
        .map(pair -> pair.replace('\0', '='))
        .collect(Collectors.joining("&"));
  }

  /** With a character between that sorts before all others. */
  private static Stream<String> pairs(String name, List<String> values) {
    return values.stream().map(value -> encoded(name, false) + '\0' + encoded(value, false));
  }

  private static String encoded(String text, boolean isPath) {
    StringBuilder encoded = new StringBuilder();
    for (byte b : text.getBytes(UTF_8)) {
      char c = (char) (b & 0xff);
      boolean letterOrDigit =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (letterOrDigit || "-._~".indexOf(c) >= 0 || (isPath && c == '/')) {
        encoded.append(c);
      } else {
        encoded.append('%').append(HEX.toHexDigits(b).toUpperCase(Locale.ROOT));
      }
    }
    return encoded.toString();
  }

  static String sha256(String text) {
    try {
      return HEX.formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static byte[] hmac(byte[] key, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return mac.doFinal(text.getBytes(UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java has HMAC with SHA-256", e);
    }
  }
}
