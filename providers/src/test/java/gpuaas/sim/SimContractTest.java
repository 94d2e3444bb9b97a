package gpuaas.sim;

import gpuaas.spi.Provider;
import gpuaas.spi.ProviderContract;
import gpuaas.spi.ProviderFault;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumMap;
import java.util.Map;

/** The simulated provider keeps the contract, but for the tag that it does not know again. */
class SimContractTest extends ProviderContract {

  private static final Duration SOON = Duration.ofMillis(300);

  private volatile SimScript script = SimScript.prompt();
  private final Provider provider =
      new SimProvider("sim", InstantSource.system(), () -> script, 2, 4);

  @Override
  protected Provider provider() {
    return provider;
  }

  @Override
  protected boolean knowsATagAgain() {
    return false; // on purpose: it is there to show that the core never asks twice
  }

  @Override
  protected boolean looksAtDisks() {
    return false; // the simulation of leases asks for whatever it likes
  }

  @Override
  protected Map<ProviderFault, String> notOrderable() {
    Map<ProviderFault, String> reasons = new EnumMap<>(ProviderFault.class);
    for (ProviderFault fault : ProviderFault.values()) {
      reasons.put(fault, "it is called directly; the simulation of leases has these in its wire");
    }
    reasons.remove(ProviderFault.LATE_LISTING);
    return reasons;
  }

  @Override
  protected void order(ProviderFault fault) {
    if (fault != ProviderFault.LATE_LISTING) {
      super.order(fault);
    }
    script = new SimScript(Duration.ZERO, SOON, Duration.ZERO, Duration.ZERO);
  }
}
