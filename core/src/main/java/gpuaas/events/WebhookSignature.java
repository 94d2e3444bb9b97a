package gpuaas.events;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The proof that a delivery is ours: {@code t=<unix seconds>,v1=<hex>}, HMAC-SHA256 over {@code
 * <timestamp>.<raw body>}. The key is the 64 characters of the secret as ASCII bytes, not what they
 * would decode to.
 */
final class WebhookSignature {

  private WebhookSignature() {}

  /** The header's value, with one {@code v1} for each secret. */
  static String of(List<String> secrets, Instant at, String body) {
    long seconds = at.getEpochSecond();
    return secrets.stream()
        .map(secret -> ",v1=" + mac(secret, seconds + "." + body))
        .collect(Collectors.joining("", "t=" + seconds, ""));
  }

  private static String mac(String secret, String text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret.getBytes(US_ASCII), "HmacSHA256"));
      return HexFormat.of().formatHex(mac.doFinal(text.getBytes(UTF_8)));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }
}
