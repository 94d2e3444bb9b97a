package gpuaas.http;

import java.util.LinkedHashMap;
import java.util.Map;

/** What goes out. */
public record Reply(int status, Map<String, String> headers, String contentType, String body) {

  private static final String JSON = "application/json";

  public Reply {
    headers = Map.copyOf(headers);
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

  /** The same with one more header. */
  public Reply with(String name, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(name, value);
    return new Reply(status, more, contentType, body);
  }
}
