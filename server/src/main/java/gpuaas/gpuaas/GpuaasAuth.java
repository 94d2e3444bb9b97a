package gpuaas.gpuaas;

import gpuaas.base.Caller;
import gpuaas.base.Credential;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refusal.Unauthenticated;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import gpuaas.http.Request;
import gpuaas.idp.Credentials;
import java.util.Optional;
import java.util.UUID;

/**
 * Who asks, by a bearer credential, and for which project: the one in the path, or in {@code
 * X-Project-ID}, or their default one.
 */
public final class GpuaasAuth {

  private static final String PROJECT_HEADER = "X-Project-ID";

  private final Credentials credentials;

  public GpuaasAuth(Credentials credentials) {
    this.credentials = credentials;
  }

  Caller caller(Request request) {
    return credentials.caller(credential(request), project(request), request.correlationId());
  }

  /** The session that the request's token belongs to; empty: it came with something else. */
  Optional<String> session(Request request) {
    return credentials.session(credential(request));
  }

  /** What the caller of a request came with. */
  Credential cameWith(Request request) {
    return request
        .caller()
        .key()
        .<Credential>map(key -> new Credential.ApiKey(key.id()))
        .or(() -> credentials.behind(credential(request)))
        .orElseThrow(() -> new Refused(new Unauthenticated(Why.INVALID)));
  }

  private static String credential(Request request) {
    String header =
        request
            .header("authorization")
            .orElseThrow(() -> new Refused(new Unauthenticated(Why.MISSING)));
    if (!header.regionMatches(true, 0, "Bearer ", 0, 7)) {
      throw new Refused(new Unauthenticated(Why.INVALID));
    }
    return header.substring(7).strip();
  }

  private static Optional<UUID> project(Request request) {
    Optional<UUID> inPath =
        Optional.ofNullable(request.pathParameters().get("project_id"))
            .map(_ -> request.id("project_id", Kind.PROJECT));
    Optional<UUID> inHeader = request.header(PROJECT_HEADER).map(GpuaasAuth::projectId);
    if (inPath.isPresent() && inHeader.isPresent() && !inPath.equals(inHeader)) {
      throw new Refused(
          new Refusal.Unreadable(PROJECT_HEADER + " names another project than the path"));
    }
    return inPath.or(() -> inHeader);
  }

  private static UUID projectId(String text) {
    try {
      return UUID.fromString(text.strip());
    } catch (IllegalArgumentException e) {
      throw new Refused(new Refusal.Unreadable(PROJECT_HEADER + " must be the id of a project"));
    }
  }
}
