package gpuaas.gpuaas.policy;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.http.RateLimits;
import gpuaas.http.RateLimits.Left;
import gpuaas.http.RateLimits.Rate;
import gpuaas.http.Route;
import gpuaas.policy.Policies;
import gpuaas.policy.PolicyDefinition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * How many calls somebody may make: by themselves or with a key in a project, of those that change
 * something, of terminal tokens, and all of a tenant together.
 */
public final class CallLimits {

  private final Policies policies;
  private final RateLimits limits = RateLimits.perMinute(1);

  public CallLimits(Policies policies) {
    this.policies = policies;
  }

  /** One limit that a call counts against. */
  private record Counted(String key, Rate rate) {}

  /**
   * Takes a call of each limit that it counts against, or of none: then it refuses, with the
   * longest time to wait.
   *
   * @return headers that say what is left of the tightest
   */
  public Map<String, String> take(Route route, Caller caller) {
    List<Counted> taken = new ArrayList<>();
    List<Left> left = new ArrayList<>();
    for (Counted each : counted(route, caller)) {
      Left found = limits.tryTake(each.key(), each.rate());
      left.add(found);
      if (!found.isRefused()) {
        taken.add(each);
      }
    }
    Left longest = left.stream().max(Comparator.comparing(Left::retryAfter)).orElseThrow();
    if (longest.isRefused()) {
      taken.forEach(each -> limits.giveBack(each.key(), each.rate()));
      throw new Refused(new Refusal.RateLimited(longest.limit(), longest.retryAfter()));
    }
    Left tightest = left.stream().min(Comparator.comparingLong(Left::remaining)).orElseThrow();
    return Map.of(
        "X-RateLimit-Limit", Long.toString(tightest.limit()),
        "X-RateLimit-Remaining", Long.toString(tightest.remaining()));
  }

  private List<Counted> counted(Route route, Caller caller) {
    UUID principal = caller.key().map(Caller.Key::id).orElse(caller.user());
    String here = principal + " " + caller.project();
    List<Counted> all = new ArrayList<>();
    all.add(of(PolicyDefinition.REQUESTS_PER_MINUTE, caller, here));
    if (!route.method().equals("GET")) {
      all.add(of(PolicyDefinition.MUTATIONS_PER_MINUTE, caller, here));
    }
    if (route.needs().filter(Action.TERMINAL_OPEN::equals).isPresent()) {
      all.add(
          of(
              PolicyDefinition.TERMINAL_TOKEN_REQUESTS_PER_MINUTE,
              caller,
              caller.user().toString()));
    }
    all.add(of(PolicyDefinition.TENANT_REQUESTS_PER_MINUTE, caller, caller.tenant().toString()));
    return all;
  }

  private Counted of(PolicyDefinition definition, Caller caller, String whose) {
    long most = policies.value(definition, caller.tenant(), caller.project());
    return new Counted(definition.key() + " " + whose, Rate.perMinute(most));
  }
}
