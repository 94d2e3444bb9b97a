package gpuaas.gpudev.login;

import java.util.Map;

/**
 * A request for {@code GetCallerIdentity} that somebody signed and did not send: proof of who they
 * are, without their secret.
 *
 * @param method GET or POST
 * @param url with the signature, unless it is in a header
 * @param headers all that are signed, {@code X-GPUaaS-Server} among them
 * @param body the form of a POST; else empty
 */
public record PresignedRequest(
    String method, String url, Map<String, String> headers, String body) {

  public PresignedRequest {
    headers = Map.copyOf(headers);
  }

  /** Whoever has it can log in with it while it is fresh. */
  @Override
  public String toString() {
    return "PresignedRequest[***]";
  }
}
