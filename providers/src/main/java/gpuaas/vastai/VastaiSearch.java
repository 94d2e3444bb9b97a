package gpuaas.vastai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.market.MarketHttp;
import gpuaas.market.MarketHttp.Answer;
import gpuaas.market.MarketHttp.Kind;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * The search for offers, in both of its forms: the documented one, and the older one for where that
 * is not known. What is asked for is not relied on: {@link VastaiTypes} looks at every offer again.
 */
final class VastaiSearch {

  private final MarketHttp http;
  private final VastaiSettings settings;
  private volatile boolean older;

  VastaiSearch(MarketHttp http, VastaiSettings settings) {
    this.http = http;
    this.settings = settings;
  }

  /** The offers as the market tells them. */
  JsonNode offers(int limit) {
    if (!older) {
      Answer answer =
          http.call("POST", "/bundles/", Optional.of(filter(limit, "ondemand")), Kind.READ);
      boolean unknown = answer.status() == 404 || answer.status() == 405;
      if (!unknown || VastaiClient.isAboutTheKey(answer)) {
        return VastaiClient.needed(answer, "offers");
      }
    }
    String query = URLEncoder.encode(filter(limit, "on-demand").toString(), StandardCharsets.UTF_8);
    Answer answer = http.call("GET", "/bundles/?q=" + query, Optional.empty(), Kind.READ);
    JsonNode offers = VastaiClient.needed(answer, "offers");
    older = true;
    return offers;
  }

  private ObjectNode filter(int limit, String type) {
    ObjectNode filter = JsonNodeFactory.instance.objectNode();
    filter.putObject("rentable").put("eq", true);
    filter.putObject("rented").put("eq", false);
    if (settings.verifiedOnly()) {
      filter.putObject("verified").put("eq", true);
    }
    filter.putObject("reliability2").put("gte", settings.leastReliability());
    filter.putObject("disk_space").put("gte", settings.diskGb());
    filter.put("type", type).put("limit", limit);
    filter.put("allocated_storage", settings.diskGb());
    filter.putArray("order").addArray().add("dph_total").add("asc");
    return filter;
  }
}
