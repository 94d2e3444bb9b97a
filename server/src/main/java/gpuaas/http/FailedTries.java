package gpuaas.http;

import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import java.util.function.Supplier;

/**
 * Whoever shows credentials that are not ours too often is not looked at for a while: guessing is
 * slow, and costs us no look-up. Counts failures only, by address, for all listeners together; what
 * has expired was ours once, and who shows nothing tries nothing.
 */
public final class FailedTries {

  private static final int NETWORK_GROUPS = 4;

  private final RateLimits limits;

  /**
   * @param perMinute for each address; all of them at once if need be
   */
  public FailedTries(int perMinute) {
    this.limits = RateLimits.perMinute(perMinute);
  }

  /** Refuses an address that failed too often. */
  public void admit(String address) {
    limits.refuseIfEmpty(network(address));
  }

  /** One more. */
  public void failed(String address) {
    limits.count(network(address));
  }

  /** Does what tells who asks, unless this address failed too often. */
  public <T> T check(String address, Supplier<T> authentication) {
    admit(address);
    try {
      return authentication.get();
    } catch (Refused no) {
      if (no.refusal() instanceof Refusal.Unauthenticated unknown && unknown.why() == Why.INVALID) {
        failed(address);
      }
      throw no;
    }
  }

  /** Of version 6, the network: whoever has one address there has them all. */
  static String network(String address) {
    String text = address.startsWith("[") ? address.substring(1) : address;
    if (text.indexOf(':') < 0 || text.startsWith("::")) {
      return text;
    }
    String[] groups = text.split(":", NETWORK_GROUPS + 1);
    StringBuilder network = new StringBuilder();
    for (int i = 0; i < Math.min(NETWORK_GROUPS, groups.length) && !groups[i].isEmpty(); i++) {
      network.append(groups[i]).append(':');
    }
    return network.toString();
  }
}
