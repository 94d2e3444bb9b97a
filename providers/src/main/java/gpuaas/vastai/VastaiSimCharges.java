package gpuaas.vastai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.market.MarketHttp;
import gpuaas.market.sim.SimAnswer;
import gpuaas.market.sim.SimCall;
import gpuaas.market.sim.SimMarket;
import gpuaas.market.sim.SimRental;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/** The bill of the simulated market: a row for each machine and day, by pages. */
final class VastaiSimCharges {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final int PAGE_MOST = 100;
  private static final int DAYS_MOST = 400;

  private final SimMarket market;

  VastaiSimCharges(SimMarket market) {
    this.market = market;
  }

  SimAnswer answer(SimCall call) {
    JsonNode day;
    try {
      day = MarketHttp.JSON.readTree(call.query().getOrDefault("select_filters", "")).path("day");
    } catch (IOException e) {
      return SimAnswer.text(400, "select_filters is not JSON");
    }
    if (!day.path("gte").isIntegralNumber() || !day.path("lte").isIntegralNumber()) {
      return SimAnswer.json(
          400, NODES.objectNode().put("success", false).put("error", "invalid_args"));
    }
    List<ObjectNode> rows = rows(day.path("gte").asLong(), day.path("lte").asLong());
    int limit = Math.clamp(number(call, "limit", 20), 1, PAGE_MOST);
    int start = Math.min(number(call, "after_token", 0), rows.size());
    int end = Math.min(start + limit, rows.size());
    ArrayNode results = NODES.arrayNode();
    rows.subList(start, end).forEach(results::add);
    ObjectNode answer = NODES.objectNode();
    answer.put("success", true).put("count", end - start).put("total", rows.size());
    answer.put("next_token", end < rows.size() ? Integer.toString(end) : null);
    answer.set("results", results);
    return SimAnswer.json(200, answer);
  }

  private static int number(SimCall call, String name, int fallback) {
    String text = call.query().getOrDefault(name, "");
    return text.matches("[0-9]{1,6}") ? Integer.parseInt(text) : fallback;
  }

  private List<ObjectNode> rows(long fromSecond, long toSecond) {
    Instant now = market.now();
    List<ObjectNode> rows = new ArrayList<>();
    for (SimRental rental : market.rentals()) {
      Instant day = rental.madeAt().truncatedTo(ChronoUnit.DAYS);
      Instant last = rental.endedAt().orElse(now);
      for (int count = 0; count < DAYS_MOST && !day.isAfter(last); count++) {
        if (day.getEpochSecond() >= fromSecond && day.getEpochSecond() <= toSecond) {
          rows.add(row(rental, day, now));
        }
        day = day.plus(Duration.ofDays(1));
      }
    }
    return rows;
  }

  private static ObjectNode row(SimRental rental, Instant day, Instant now) {
    Instant next = day.plus(Duration.ofDays(1));
    SimRental.Bill bill = rental.bill(day, next.isBefore(now) ? next : now);
    ObjectNode row =
        NODES
            .objectNode()
            .put("start", day.getEpochSecond())
            .put("end", next.getEpochSecond())
            .put("type", "instance")
            .put("source", "instance-" + rental.id())
            .put("description", "Instance " + rental.id() + " Charges - 1 day")
            .put("amount", BigDecimal.valueOf(bill.micros(), 6));
    row.putObject("metadata").put("label", rental.label());
    row.putArray("items");
    return row;
  }
}
