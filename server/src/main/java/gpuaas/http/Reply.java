package gpuaas.http;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What goes out.
 *
 * @param stream writes what follows the head, as long as it wants; the body is empty then
 */
public record Reply(
    int status,
    Map<String, String> headers,
    String contentType,
    String body,
    Optional<Stream> stream) {

  private static final String JSON = "application/json";

  public Reply {
    headers = Map.copyOf(headers);
  }

  public Reply(int status, Map<String, String> headers, String contentType, String body) {
    this(status, headers, contentType, body, Optional.empty());
  }

  /** Writes an answer piece by piece. */
  @FunctionalInterface
  public interface Stream {
    /**
     * Runs once, whatever became of the client, but not for HEAD; interrupted when the server
     * stops.
     */
    void run(Out out) throws IOException, InterruptedException;
  }

  /** Where a stream writes. */
  @FunctionalInterface
  public interface Out {
    /** Sends this now, and returns when it is taken; throws when the client is gone or too slow. */
    void send(String text) throws IOException;
  }

  /** An answer that is written piece by piece. */
  public static Reply stream(String contentType, Stream stream) {
    return new Reply(200, Map.of(), contentType, "", Optional.of(stream));
  }

  /** A value as JSON. */
  public static Reply json(int status, Object value) {
    return new Reply(status, Map.of(), JSON, Json.write(value));
  }

  /** JSON that is written already. */
  public static Reply rawJson(int status, String body) {
    return new Reply(status, Map.of(), JSON, body);
  }

  /** Nothing but a status. */
  public static Reply empty(int status) {
    return new Reply(status, Map.of(), "", "");
  }

  /** Text of another kind. */
  public static Reply text(int status, String contentType, String body) {
    return new Reply(status, Map.of(), contentType, body);
  }

  /** The word that programs tell this no by; empty: it is none, or has no such word. */
  Optional<String> errorCode() {
    if (status < 400 || !contentType.endsWith("json")) {
      return Optional.empty();
    }
    return Optional.of(Json.read(body).path("code").asText()).filter(code -> !code.isEmpty());
  }

  /** The same with one more header. */
  public Reply with(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new Reply(status, more, contentType, body, stream);
  }
}
