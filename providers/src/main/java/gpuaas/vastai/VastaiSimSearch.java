package gpuaas.vastai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.market.MarketHttp;
import gpuaas.market.sim.SimAnswer;
import gpuaas.market.sim.SimCall;
import gpuaas.market.sim.SimMarket;
import gpuaas.market.sim.SimOffer;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The search of the simulated market, with every filter that the market has operators for. */
final class VastaiSimSearch {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final SimMarket market;

  VastaiSimSearch(SimMarket market) {
    this.market = market;
  }

  /** Both forms: a filter as the body, or as {@code q} in the query. */
  SimAnswer answer(SimCall call) {
    JsonNode asked = call.method().equals("GET") ? json(call.query().get("q")) : call.body();
    String filter =
        JsonNodeFactory.instance
            .objectNode()
            .setAll(
                asked
                    .propertyStream()
                    .filter(one -> one.getValue().isObject())
                    .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)))
            .toString()
            .replaceAll("(?<=[A-Za-z])_(?=[0-9])", " "); // RTX_4090 is RTX 4090
    long diskGb = asked.path("allocated_storage").asLong(VastaiApiSim.LEAST_DISK);
    ArrayNode found = NODES.arrayNode();
    market.offers().stream()
        .sorted((one, other) -> Long.compare(one.microsPerHour(), other.microsPerHour()))
        .map(offer -> offer(offer, diskGb))
        .filter(offer -> VastaiNeeds.hold(filter, offer))
        .limit(asked.path("limit").asInt(64))
        .forEach(found::add);
    ObjectNode answer = NODES.objectNode();
    answer.set("offers", found);
    return SimAnswer.json(200, answer);
  }

  private static JsonNode json(@Nullable String text) {
    try {
      return MarketHttp.JSON.readTree(text == null ? "{}" : text);
    } catch (JsonProcessingException e) {
      return NODES.objectNode();
    }
  }

  private static ObjectNode offer(SimOffer offer, long diskGb) {
    return NODES
        .objectNode()
        .put("id", offer.number())
        .put("ask_contract_id", offer.number())
        .put("machine_id", offer.number() % 10_000)
        .put("num_gpus", offer.gpus())
        .put("gpu_name", offer.gpuName())
        .put("gpu_ram", offer.gpuMemoryMb())
        .put("gpu_frac", 1.0)
        .put("cpu_cores", offer.processors())
        .put("cpu_cores_effective", (double) offer.processors())
        .put("cpu_ram", offer.memoryMb())
        .put("disk_space", (double) offer.diskGb())
        .put("dph_base", VastaiApiSim.dollars(offer.microsPerHour()))
        .put(
            "dph_total",
            VastaiApiSim.dollars(offer.microsPerHour() + offer.diskMicrosPerHour(diskGb)))
        .put("min_bid", VastaiApiSim.dollars(offer.microsPerHour() / 2))
        .put("storage_cost", VastaiApiSim.dollars(offer.diskMicrosPerGbMonth()))
        .put("reliability2", 0.991)
        .put("cuda_max_good", 12.8)
        .put("duration", 2_592_000.0)
        .put("geolocation", offer.place())
        .put("verification", "verified")
        .put("rentable", true)
        .put("rented", false);
  }
}
