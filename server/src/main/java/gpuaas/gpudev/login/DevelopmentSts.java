package gpuaas.gpudev.login;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * An STS for development: tells holders of a few known key pairs who they are, as AWS would, after
 * checking their signature. Knows {@code GetCallerIdentity} and nothing else. Never for a server
 * that others reach when one of its pairs is public, as {@link #samplePair} is.
 */
public final class DevelopmentSts {

  private static final Duration SKEW_MOST = Duration.ofMinutes(15);
  private static final String VERSION = "2011-06-15";

  private final Map<String, KeyPair> pairs;
  private final InstantSource clock;
  private final AtomicLong requests = new AtomicLong();

  /**
   * Somebody whom this STS knows.
   *
   * @param arn what it calls them
   * @param until when the pair expires, if it does
   */
  public record KeyPair(AwsCredentials credentials, String arn, Optional<Instant> until) {}

  /**
   * The answer to a request.
   *
   * @param xml of type {@code text/xml}
   */
  public record Answer(int status, String xml) {}

  public DevelopmentSts(Collection<KeyPair> pairs, InstantSource clock) {
    this.pairs =
        pairs.stream()
            .collect(
                Collectors.toUnmodifiableMap(
                    pair -> pair.credentials().accessKeyId(), Function.identity()));
    this.clock = clock;
  }

  /** The pair that AWS prints in its documentation; everybody knows it. */
  public static KeyPair samplePair() {
    return new KeyPair(
        new AwsCredentials(
            "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", Optional.empty()),
        "arn:aws:sts::000000000000:assumed-role/SSOCloudDevGpuReservation/dev-user",
        Optional.empty());
  }

  /** Something that AWS would refuse. */
  private static final class No extends Exception {
    private final int status;
    private final String code;

    No(int status, String code, String message) {
      super(message);
      this.status = status;
      this.code = code;
    }
  }

  /**
   * Answers a request.
   *
   * @param path as it was sent, without the query
   * @param query decoded, each name with all its values
   * @param headers by names in lower case
   */
  public Answer handle(
      String method,
      String path,
      Map<String, List<String>> query,
      Map<String, String> headers,
      String body) {
    String requestId = new UUID(0, requests.incrementAndGet()).toString();
    try {
      KeyPair caller = caller(method, path, query, headers, body);
      refuseOtherActions(method, query, headers, body);
      String account = caller.arn().split(":", 6)[4];
      String session = caller.arn().substring(caller.arn().lastIndexOf('/') + 1);
      String userId = caller.credentials().accessKeyId() + ":" + session;
      return new Answer(200, StsXml.caller(caller.arn(), userId, account, requestId));
    } catch (AwsSignature.Malformed no) {
      return new Answer(400, StsXml.failure("IncompleteSignature", message(no), requestId));
    } catch (No no) {
      return new Answer(no.status, StsXml.failure(no.code, message(no), requestId));
    }
  }

  private static String message(Exception no) {
    return Optional.ofNullable(no.getMessage()).orElse("");
  }

  private KeyPair caller(
      String method,
      String path,
      Map<String, List<String>> query,
      Map<String, String> headers,
      String body)
      throws No, AwsSignature.Malformed {
    AwsSignature signature =
        AwsSignature.of(query, headers)
            .orElseThrow(
                () -> new No(403, "MissingAuthenticationToken", "the request is not signed"));
    for (String name : headers.keySet()) {
      if (name.startsWith("x-amz-") && !signature.signedHeaders().contains(name)) {
        throw new No(403, "SignatureDoesNotMatch", "a header x-amz-... is not signed");
      }
    }
    KeyPair pair = pairs.get(signature.accessKeyId());
    if (pair == null || !sameToken(pair, signature)) {
      throw new No(403, "InvalidClientTokenId", "the access key or its session token is unknown");
    }
    if (!SigV4.matches(
        signature, pair.credentials().secretAccessKey(), method, path, query, headers, body)) {
      throw new No(
          403, "SignatureDoesNotMatch", "the signature is not that of this request by this key");
    }
    refuseOtherTimes(signature);
    if (pair.until().isPresent() && !clock.instant().isBefore(pair.until().get())) {
      throw new No(403, "ExpiredToken", "the credentials have expired");
    }
    return pair;
  }

  private static boolean sameToken(KeyPair pair, AwsSignature signature) {
    return MessageDigest.isEqual(
        pair.credentials().sessionToken().orElse("").getBytes(UTF_8),
        signature.sessionToken().orElse("").getBytes(UTF_8));
  }

  private void refuseOtherTimes(AwsSignature signature) throws No, AwsSignature.Malformed {
    Instant now = clock.instant();
    Instant signed = signature.signedAt();
    Duration lifetime =
        signature
            .lifetimeSeconds()
            .map(Duration::ofSeconds)
            .filter(given -> given.compareTo(SKEW_MOST) < 0)
            .orElse(SKEW_MOST);
    if (now.isAfter(signed.plus(lifetime)) || now.isBefore(signed.minus(SKEW_MOST))) {
      throw new No(403, "SignatureDoesNotMatch", "the signature has expired, or is of the future");
    }
  }

  private static void refuseOtherActions(
      String method, Map<String, List<String>> query, Map<String, String> headers, String body)
      throws No, AwsSignature.Malformed {
    Map<String, List<String>> form = StsParameters.decoded(body);
    boolean get = method.equals("GET") && body.isEmpty();
    boolean readable =
        body.isEmpty() || StsParameters.isForm(headers.getOrDefault("content-type", ""));
    if (!(get || method.equals("POST")) || !readable) {
      throw new No(400, "MalformedInput", "send a GET, or a POST with a form");
    }
    Optional<String> action = StsParameters.only("Action", query, form);
    Optional<String> version = StsParameters.only("Version", query, form);
    if (!action.equals(Optional.of("GetCallerIdentity"))
        || !version.orElse(VERSION).equals(VERSION)) {
      throw new No(400, "InvalidAction", "only GetCallerIdentity of " + VERSION + " is known here");
    }
  }
}
