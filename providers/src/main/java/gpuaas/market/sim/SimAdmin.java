package gpuaas.market.sim;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.market.MarketHttp;
import java.time.Duration;
import java.util.Locale;

/**
 * What one can do to a simulated market from outside, with nothing but a query:
 *
 * <pre>
 * GET  /sim/ledger                                       what every machine has cost
 * POST /sim/faults?kind=lose_reply&amp;operation=create     also: times (1), amount (1000, in ms)
 * POST /sim/faults?percent=10                            faults that come by themselves
 * POST /sim/world?price-percent=150                      also: fate=never_answers, list-lag-ms=5000,
 *                                                        vanishing=true, stop-all=true,
 *                                                        healthy=false
 * POST /sim/calm                                         calls everything off
 * </pre>
 */
final class SimAdmin {

  private final SimMarket market;
  private final SimFaults faults;

  SimAdmin(SimMarket market, SimFaults faults) {
    this.market = market;
    this.faults = faults;
  }

  SimAnswer answer(SimCall call) {
    try {
      return switch (call.method() + " " + call.path()) {
        case "GET /sim/ledger" -> ledger();
        case "POST /sim/faults" -> fault(call);
        case "POST /sim/world" -> world(call);
        case "POST /sim/calm" -> {
          faults.clear();
          market.calm();
          yield done();
        }
        default -> SimAnswer.text(404, "say ledger, faults, world or calm\n");
      };
    } catch (IllegalArgumentException e) {
      return SimAnswer.text(400, "not understood: " + e.getMessage() + "\n");
    }
  }

  private static SimAnswer done() {
    return SimAnswer.text(200, "done\n");
  }

  private SimAnswer ledger() {
    ArrayNode lines = MarketHttp.JSON.createArrayNode();
    long sum = 0;
    for (SimRental.Bill bill : market.ledger()) {
      lines
          .addObject()
          .put("id", bill.id())
          .put("label", bill.label())
          .put("gpu_seconds", bill.gpuMillis() / 1000.0)
          .put("gpu_micros", bill.gpuMicros())
          .put("disk_micros", bill.diskMicros())
          .put("open", bill.open());
      sum += bill.micros();
    }
    ObjectNode all = MarketHttp.JSON.createObjectNode().put("currency", "USD").put("micros", sum);
    all.set("machines", lines);
    return SimAnswer.json(200, all);
  }

  private SimAnswer fault(SimCall call) {
    if (call.query().containsKey("percent")) {
      faults.byThemselves(number(call, "percent", 0));
      return done();
    }
    faults.order(
        SimFaults.Kind.valueOf(word(call, "kind")),
        call.query().getOrDefault("operation", SimFaults.EVERY),
        number(call, "times", 1),
        number(call, "amount", 1000));
    return done();
  }

  private SimAnswer world(SimCall call) {
    for (String what : call.query().keySet()) {
      switch (what) {
        case "price-percent" -> market.pricePercent(number(call, what, 100));
        case "list-lag-ms" -> market.listedAfter(Duration.ofMillis(number(call, what, 0)));
        case "fate" -> market.nextFate(SimFate.valueOf(word(call, what)));
        case "vanishing" -> market.vanishing(Boolean.parseBoolean(call.query().get(what)));
        case "healthy" -> market.healthy(Boolean.parseBoolean(call.query().get(what)));
        case "stop-all" -> market.stopAll();
        default -> throw new IllegalArgumentException(what);
      }
    }
    return done();
  }

  private static String word(SimCall call, String name) {
    return call.query().getOrDefault(name, "").toUpperCase(Locale.ROOT).replace('-', '_');
  }

  private static int number(SimCall call, String name, int fallback) {
    return Integer.parseInt(call.query().getOrDefault(name, Integer.toString(fallback)));
  }
}
