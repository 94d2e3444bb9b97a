package gpuaas.market;

import gpuaas.market.sim.SimFaults;
import gpuaas.market.sim.SimFaults.Kind;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.ProviderFault;
import java.time.Duration;

/** The faults of the contract, at a simulated market. */
public final class MarketFaults {

  private static final Duration LATE = Duration.ofMillis(400);

  private MarketFaults() {}

  /** Brings one about. */
  public static void order(SimServer sim, ProviderFault fault) {
    switch (fault) {
      case LOST_REPLY -> sim.faults().order(Kind.LOSE_REPLY, "create", 1, 0);
      case UNREACHABLE -> sim.pause();
      case BROKEN -> everyCall(sim, Kind.BROKEN);
      case TRUNCATED -> everyCall(sim, Kind.TRUNCATE);
      case LATE_LISTING -> sim.market().listedAfter(LATE);
      case PRICE_RISES -> sim.market().pricePercent(150);
      case OFFER_VANISHES -> sim.market().vanishing(true);
      case QUOTA_USED_UP -> sim.faults().order(Kind.QUOTA, "create", 1, 0);
      case TOO_MANY_CALLS -> everyCall(sim, Kind.TOO_MANY);
      case BAD_CREDENTIALS -> everyCall(sim, Kind.UNKNOWN_KEY);
      case INSTANCES_LOST -> sim.market().stopAll();
    }
  }

  private static void everyCall(SimServer sim, Kind kind) {
    sim.faults().order(kind, SimFaults.EVERY, SimFaults.FOR_EVER, 0);
  }

  /** All is well again. */
  public static void end(SimServer sim) {
    sim.faults().clear();
    sim.market().calm();
    sim.resume();
  }
}
