package gpuaas.gpudev.login;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLDecoder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Names and values in a query or a form, as requests to STS carry them. */
final class StsParameters {

  private static final int PAIRS_MOST = 40;

  private StsParameters() {}

  /** All pairs, decoded. What others could split in another way than we do is refused. */
  static Map<String, List<String>> decoded(String encoded) throws AwsSignature.Malformed {
    Map<String, List<String>> decoded = new LinkedHashMap<>();
    String[] pairs = encoded.isEmpty() ? new String[0] : encoded.split("&", PAIRS_MOST + 1);
    if (pairs.length > PAIRS_MOST || encoded.indexOf(';') >= 0) {
      throw new AwsSignature.Malformed("it has too many parameters, or a ; between them");
    }
    try {
      for (String pair : pairs) {
        int equals = pair.indexOf('=');
        String name = equals < 0 ? pair : pair.substring(0, equals);
        String value = equals < 0 ? "" : pair.substring(equals + 1);
        decoded
            .computeIfAbsent(URLDecoder.decode(name, UTF_8), _ -> new ArrayList<>())
            .add(URLDecoder.decode(value, UTF_8));
      }
    } catch (IllegalArgumentException e) {
      throw new AwsSignature.Malformed("a parameter cannot be decoded");
    }
    return decoded;
  }

  /** The one value of a name in both together; none when it is missing or given twice. */
  static Optional<String> only(
      String name, Map<String, List<String>> query, Map<String, List<String>> form) {
    List<String> values =
        Stream.of(query, form)
            .flatMap(part -> part.getOrDefault(name, List.of()).stream())
            .toList();
    return values.size() == 1 ? Optional.of(values.getFirst()) : Optional.empty();
  }

  static boolean isForm(String contentType) {
    return contentType
        .toLowerCase(Locale.ROOT)
        .matches("application/x-www-form-urlencoded( *; *charset=utf-8)?");
  }
}
