package gpuaas.gpudev.login;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.gpudev.login.LogInAnswer.Denied;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Log-in by a request for GetCallerIdentity that the visitor signed: we send it, and STS tells
 * whose it is. What is sent where is ours to say: the address is one of the settings', and the
 * request can be nothing else than GetCallerIdentity.
 */
public final class PresignedLogIn implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(PresignedLogIn.class);
  private static final String SERVER_HEADER = "x-gpuaas-server";

  private final LogInSettings.Presigned settings;
  private final AwsRules rules;
  private final PresignedRules shapes;
  private final BoundedHttp http;
  private final InstantSource clock;

  public PresignedLogIn(
      LogInSettings.Presigned settings, LogInSettings.Aws aws, InstantSource clock) {
    this.settings = settings;
    this.rules = new AwsRules(aws);
    this.shapes = new PresignedRules(settings.allowedHosts(), aws.stsEndpoint());
    this.http =
        new BoundedHttp(
            aws.connectLimit(), aws.connectLimit().plus(aws.readLimit()), aws.answerBytesMost());
    this.clock = clock;
  }

  /** Who signed it. Waits for STS, at most the limits to connect and to read together. */
  public LogInAnswer visitor(PresignedRequest request) {
    PresignedRules.Checked checked;
    try {
      checked = shapes.checked(request);
      Optional<Denied> no = refusal(checked);
      if (no.isPresent()) {
        return no.get();
      }
    } catch (AwsSignature.Malformed no) {
      return new Denied(400, "Invalid pre-signed request: " + no.getMessage());
    }
    return sent(checked);
  }

  /** Was it signed for us, and just now? STS checks whether the signature is right. */
  private Optional<Denied> refusal(PresignedRules.Checked checked) throws AwsSignature.Malformed {
    AwsSignature signature = checked.signature();
    String server = checked.headers().getOrDefault(SERVER_HEADER, "");
    if (!signature.signedHeaders().contains(SERVER_HEADER)
        || !MessageDigest.isEqual(server.getBytes(UTF_8), settings.serverName().getBytes(UTF_8))) {
      return Optional.of(
          new Denied(
              401,
              "The pre-signed request is not for this server: sign the header %s: %s"
                  .formatted(LogInSettings.Presigned.SERVER_HEADER, settings.serverName())));
    }
    Instant now = clock.instant();
    Instant signed = signature.signedAt();
    Duration lifetime =
        signature
            .lifetimeSeconds()
            .map(Duration::ofSeconds)
            .filter(given -> given.compareTo(settings.ageMost()) < 0)
            .orElse(settings.ageMost());
    if (now.isAfter(signed.plus(lifetime)) || now.isBefore(signed.minus(settings.ageMost()))) {
      return Optional.of(new Denied(401, "The pre-signed request has expired"));
    }
    return Optional.empty();
  }

  private LogInAnswer sent(PresignedRules.Checked checked) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(checked.address())
            .method(
                checked.method(),
                checked.body().isEmpty()
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString(checked.body()));
    checked.toForward().forEach(request::setHeader);
    HttpResponse<byte[]> answer;
    try {
      answer = http.send(request.build());
    } catch (IOException unreachable) {
      LOG.warn("STS did not verify a request: {}", unreachable.getClass().getSimpleName());
      return AwsRules.unverified();
    }
    boolean fine = answer.statusCode() == 200;
    return switch (StsXml.read(answer.body()).orElse(null)) {
      case StsXml.Said.Caller(String arn) when fine -> rules.visitor(arn);
      case StsXml.Said.Failure(String code) when !fine -> AwsRules.denied(code);
      case null, default -> AwsRules.unverified();
    };
  }

  @Override
  public void close() {
    http.close();
  }
}
