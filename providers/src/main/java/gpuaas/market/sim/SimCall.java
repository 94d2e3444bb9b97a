package gpuaas.market.sim;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;

/**
 * A call to a simulated market.
 *
 * @param path without the base and without the query
 * @param key what came as bearer token; empty: none
 * @param body missing when there was none, or it was no JSON
 */
public record SimCall(
    String method, String path, Map<String, String> query, String key, JsonNode body) {

  public SimCall {
    query = Map.copyOf(query);
  }
}
