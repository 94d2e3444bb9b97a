package gpuaas.shopper;

import gpuaas.market.sim.SimFate;
import gpuaas.market.sim.SimFaults;
import gpuaas.market.sim.SimFaults.Kind;
import gpuaas.market.sim.SimMarket;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimServer;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

/** What goes wrong at the markets, by a seed, beside faults that come by themselves. */
final class ChaosMishaps {

  private static final int PERCENT = 6;

  private final List<SimServer> markets;
  private final SplittableRandom random;

  private enum Mishap {
    STORM,
    LOST_REPLIES,
    RESETS,
    HANGING,
    HALF_AN_ANSWER,
    BROKEN_LIST,
    LISTED_LATE,
    LISTED_VERY_LATE,
    VANISHING,
    NEVER_ANSWERS,
    CANNOT_START,
    FEWER_GPUS,
    STOPS,
    IS_LOST
  }

  ChaosMishaps(List<SimServer> markets, SplittableRandom random) {
    this.markets = markets;
    this.random = random;
  }

  /** From now on calls fail by themselves. */
  void begin() {
    markets.forEach(market -> market.faults().byThemselves(PERCENT));
  }

  /** All is well again at the markets. */
  void calm() {
    for (SimServer market : markets) {
      market.faults().clear();
      market.market().calm();
    }
  }

  /** Another thing goes wrong; what was wrong with the offers is over. */
  String next() {
    markets.forEach(each -> each.market().calm());
    SimServer server = markets.get(random.nextInt(markets.size()));
    SimFaults faults = server.faults();
    SimMarket market = server.market();
    Mishap mishap = Mishap.values()[random.nextInt(Mishap.values().length)];
    switch (mishap) {
      case STORM -> faults.order(Kind.TOO_MANY, SimFaults.EVERY, 10, 0);
      case LOST_REPLIES -> faults.order(Kind.LOSE_REPLY, "create", 3, 0);
      case RESETS -> faults.order(Kind.RESET, SimFaults.EVERY, 5, 0);
      case HANGING -> faults.order(Kind.HANG, "create", 2, 2000);
      case HALF_AN_ANSWER -> faults.order(Kind.TRUNCATE, "create", 2, 0);
      case BROKEN_LIST -> faults.order(Kind.BROKEN, "list", 5, 0);
      case LISTED_LATE -> market.listedAfter(Duration.ofSeconds(3));
      case LISTED_VERY_LATE -> market.listedAfter(Duration.ofSeconds(15)); // after settling
      case VANISHING -> market.vanishing(true);
      case NEVER_ANSWERS -> market.nextFate(SimFate.NEVER_ANSWERS);
      case CANNOT_START -> market.nextFate(SimFate.CANNOT_START);
      case FEWER_GPUS -> market.nextFate(SimFate.FEWER_GPUS);
      case STOPS -> any(market).forEach(market::stop);
      case IS_LOST -> any(market).forEach(market::destroy);
    }
    return mishap.toString();
  }

  private List<String> any(SimMarket market) {
    List<String> open =
        market.rentals().stream()
            .filter(rental -> rental.endedAt().isEmpty())
            .map(SimRental::id)
            .toList();
    return open.isEmpty() ? List.of() : List.of(open.get(random.nextInt(open.size())));
  }
}
