package gpuaas.vastai;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What the market said of the machines behind the offers that were seen last, in its own words:
 * templates are matched against these. Safe for many threads.
 */
final class VastaiHosts {

  private volatile Map<String, JsonNode> byOffer = Map.of();

  /** These are the offers that there are. */
  void replace(Iterable<JsonNode> offers) {
    Map<String, JsonNode> seen = new HashMap<>();
    for (JsonNode offer : offers) {
      seen.put(offer.path("id").asText(""), offer);
    }
    byOffer = Map.copyOf(seen);
  }

  Optional<JsonNode> find(String offer) {
    return Optional.ofNullable(byOffer.get(offer));
  }
}
