package gpuaas.gpudev;

import gpuaas.base.Caller;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.http.Halt;
import gpuaas.http.Request;
import gpuaas.identity.ApiKeys.Admission;
import gpuaas.idp.Credentials;
import java.util.Optional;

/** Who calls: a key as a bearer token, and the texts that clients know when it does not open. */
final class GpudevAuth {

  private static final int KEY_LENGTH_LEAST = 16;
  private static final int KEY_LENGTH_MOST = 256;

  private final Credentials credentials;

  GpudevAuth(Credentials credentials) {
    this.credentials = credentials;
  }

  Caller caller(Request request) {
    Optional<String> header = request.header("authorization");
    String[] parts = header.orElse("").strip().split("\\s+", 2);
    if (parts.length < 2) {
      throw new Halt(GpudevErrors.unauthenticated("Not authenticated"));
    }
    if (!parts[0].equalsIgnoreCase("Bearer")) {
      throw new Halt(GpudevErrors.unauthenticated("Invalid authentication credentials"));
    }
    String key = parts[1];
    if (key.length() < KEY_LENGTH_LEAST
        || (key.length() > KEY_LENGTH_MOST && !Credentials.looksLikeOne(key))) {
      throw no(401, "Invalid API key format");
    }
    return switch (credentials.admit(key, Optional.empty(), request.correlationId())) {
      case Admission.Admitted(Caller caller) -> caller;
      case Admission.No(Admission.Reason reason) ->
          throw switch (reason) {
            case UNKNOWN -> no(401, "Invalid API key");
            case DISABLED -> no(403, "User account is disabled");
            case REVOKED -> no(403, "API key has been revoked");
            case EXPIRED -> no(403, "API key has expired");
          };
    };
  }

  private static Halt no(int status, String detail) {
    return new Halt(GpudevErrors.error(status, detail));
  }
}
