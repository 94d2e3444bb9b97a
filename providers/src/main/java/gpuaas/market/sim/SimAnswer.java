package gpuaas.market.sim;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;

/** An answer of a simulated market. */
public record SimAnswer(int status, Map<String, String> headers, String body) {

  public SimAnswer {
    headers = Map.copyOf(headers);
  }

  /** A document. */
  public static SimAnswer json(int status, JsonNode body) {
    return new SimAnswer(status, Map.of("Content-Type", "application/json"), body.toString());
  }

  /** Plain words, as proxies and rate limiters speak. */
  public static SimAnswer text(int status, String body) {
    return new SimAnswer(status, Map.of("Content-Type", "text/plain"), body);
  }
}
