package gpuaas.policy;

import java.time.Duration;
import java.util.Map;

/**
 * What policies go by; each is a setting.
 *
 * @param defaults what holds while nobody sets anything
 * @param readEvery how soon values that were set on another server hold on this one
 */
public record PolicyRules(Map<PolicyDefinition, Long> defaults, Duration readEvery) {
  public PolicyRules {
    defaults = Map.copyOf(defaults);
  }
}
