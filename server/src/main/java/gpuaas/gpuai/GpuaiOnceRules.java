package gpuaas.gpuai;

import gpuaas.base.Refusal;
import gpuaas.http.Json;
import gpuaas.http.OnceRules;
import gpuaas.http.Request;
import java.util.regex.Pattern;

/**
 * Keys of an organisation, for any method and path: the same key for another request is a mistake.
 * Two bodies that differ in spaces or in the order of members are the same request.
 *
 * @param mount left out of the path, so that both mounts share keys
 */
record GpuaiOnceRules(String mount) implements OnceRules {

  private static final Pattern FORM = Pattern.compile("[^\\p{Cntrl}]{1,255}");

  @Override
  public String scope(Request request) {
    return "gpuai " + request.caller().tenant();
  }

  @Override
  public String fingerprint(Request request) {
    String path = request.path().startsWith(mount) ? request.path().substring(mount.length()) : "";
    return request.method() + " " + path + "\n" + Json.canonical(request.body());
  }

  @Override
  public Pattern form() {
    return FORM;
  }

  /** What would be the same again, unless something else than the request changes. */
  @Override
  public boolean remembers(Refusal refusal) {
    return switch (refusal) {
      case Refusal.NotFound _,
          Refusal.WrongState _,
          Refusal.Exists _,
          Refusal.NeverFits _,
          Refusal.PriceTooHigh _,
          Refusal.InsufficientFunds _,
          Refusal.BudgetExceeded _,
          Refusal.UnknownGpu _,
          Refusal.TooMany _ ->
          true;
      case Refusal.Unauthenticated _,
          Refusal.Denied _,
          Refusal.Unreadable _,
          Refusal.WrongMediaType _,
          Refusal.Invalid _,
          Refusal.IdempotencyConflict _,
          Refusal.IdempotencyMismatch _,
          Refusal.RateLimited _,
          Refusal.NotReady _ ->
          false;
    };
  }
}
