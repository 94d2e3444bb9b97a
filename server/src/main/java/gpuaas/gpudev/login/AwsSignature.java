package gpuaas.gpudev.login;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A signature of version 4 as a request carries it, not yet checked: in its Authorization header or
 * in its query.
 *
 * @param scope day, region, service and {@code aws4_request}, with slashes between
 * @param time when it was signed, as it stands there
 * @param lifetimeSeconds how long a signature in a query counts; empty in a header
 * @param signedHeaders names in lower case, in order
 * @param signature 64 hexadecimal digits
 */
record AwsSignature(
    String accessKeyId,
    String scope,
    String time,
    Optional<Integer> lifetimeSeconds,
    List<String> signedHeaders,
    Optional<String> sessionToken,
    String signature) {

  private static final String ALGORITHM = "AWS4-HMAC-SHA256";
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
  private static final Pattern AUTHORIZATION =
      Pattern.compile(
          ALGORITHM + " +Credential=([^, ]++), *SignedHeaders=([^, ]++), *Signature=([^, ]++) *");
  private static final Pattern CREDENTIAL =
      Pattern.compile("(\\w{16,128})/(([0-9]{8})/[a-z0-9-]{1,40}/([a-z0-9-]{1,40})/aws4_request)");
  private static final Pattern SIGNED_HEADERS =
      Pattern.compile("[a-z0-9-]{1,64}(;[a-z0-9-]{1,64}){0,40}");
  private static final int WEEK_SECONDS = 7 * 24 * 3600;

  /** It looks like a signature, but is none; says what is wrong. */
  static final class Malformed extends Exception {
    Malformed(String what) {
      super(what);
    }
  }

  /** The signature of a request, if it has one. */
  static Optional<AwsSignature> of(Map<String, List<String>> query, Map<String, String> headers)
      throws Malformed {
    Optional<String> header = Optional.ofNullable(headers.get("authorization"));
    boolean inQuery = query.containsKey("X-Amz-Signature");
    if (inQuery && header.isPresent()) {
      throw new Malformed("the signature is given twice");
    }
    if (inQuery) {
      return Optional.of(inQuery(query));
    }
    return header.isEmpty() ? Optional.empty() : Optional.of(inHeader(header.get(), headers));
  }

  private static AwsSignature inHeader(String header, Map<String, String> headers)
      throws Malformed {
    Matcher parts = AUTHORIZATION.matcher(header);
    if (!parts.matches()) {
      throw new Malformed("the Authorization header is not one of " + ALGORITHM);
    }
    return of(
        parts.group(1),
        headers.getOrDefault("x-amz-date", ""),
        Optional.empty(),
        parts.group(2),
        Optional.ofNullable(headers.get("x-amz-security-token")),
        parts.group(3));
  }

  private static AwsSignature inQuery(Map<String, List<String>> query) throws Malformed {
    if (!one(query, "X-Amz-Algorithm").equals(ALGORITHM)) {
      throw new Malformed("X-Amz-Algorithm must be " + ALGORITHM);
    }
    String seconds = one(query, "X-Amz-Expires");
    if (!seconds.matches("[0-9]{1,6}") || Integer.parseInt(seconds) > WEEK_SECONDS) {
      throw new Malformed("X-Amz-Expires must be seconds, a week at most");
    }
    return of(
        one(query, "X-Amz-Credential"),
        one(query, "X-Amz-Date"),
        Optional.of(Integer.parseInt(seconds)),
        one(query, "X-Amz-SignedHeaders"),
        query.containsKey("X-Amz-Security-Token")
            ? Optional.of(one(query, "X-Amz-Security-Token"))
            : Optional.empty(),
        one(query, "X-Amz-Signature"));
  }

  private static String one(Map<String, List<String>> query, String name) throws Malformed {
    List<String> values = query.getOrDefault(name, List.of());
    if (values.size() != 1) {
      throw new Malformed(name + " must be given once");
    }
    return values.getFirst();
  }

  private static AwsSignature of(
      String credential,
      String time,
      Optional<Integer> lifetimeSeconds,
      String signedHeaders,
      Optional<String> sessionToken,
      String signature)
      throws Malformed {
    Matcher parts = CREDENTIAL.matcher(credential);
    if (!parts.matches() || !parts.group(4).equals("sts")) {
      throw new Malformed("the credential must be for sts: <id>/<day>/<region>/sts/aws4_request");
    }
    if (!SIGNED_HEADERS.matcher(signedHeaders).matches()) {
      throw new Malformed("the signed headers must be names in lower case with ; between");
    }
    List<String> names = List.of(signedHeaders.split(";"));
    if (!names.equals(names.stream().sorted().distinct().toList()) || !names.contains("host")) {
      throw new Malformed("the signed headers must be in order, and host among them");
    }
    if (!signature.matches("[0-9a-f]{64}")) {
      throw new Malformed("the signature must be 64 hexadecimal digits");
    }
    AwsSignature found =
        new AwsSignature(
            parts.group(1), parts.group(2), time, lifetimeSeconds, names, sessionToken, signature);
    found.signedAt();
    if (!time.startsWith(parts.group(3))) {
      throw new Malformed("the time of signing is not on the day of the credential");
    }
    return found;
  }

  /** When it was signed. */
  Instant signedAt() throws Malformed {
    try {
      return TIME.parse(time, Instant::from);
    } catch (DateTimeException e) {
      throw new Malformed("the time of signing must look like 20260131T235959Z");
    }
  }

  /** The headers that are signed, of those given; empty when one is missing. */
  Optional<List<String>> valuesOf(Map<String, String> headers) {
    return headers.keySet().containsAll(signedHeaders)
        ? Optional.of(signedHeaders.stream().map(headers::get).toList())
        : Optional.empty();
  }

  /** The parts of the scope: day, region, service, ending. */
  List<String> scopeParts() {
    return Arrays.asList(scope.split("/"));
  }

  /** Without the session token. */
  @Override
  public String toString() {
    return "AwsSignature[" + scope + " at " + time + "]";
  }
}
