package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.FieldProblem;
import gpuaas.base.Refusal.Kind;
import gpuaas.http.Reply;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** Every no in this dialect's words: code, message, correlation id, details. */
final class GpuaasErrors {

  private GpuaasErrors() {}

  /**
   * The envelope. {@code details} is always there, and says for each field what is wrong with it.
   */
  record Envelope(String code, String message, String correlationId, Map<String, Object> details) {}

  static Reply refused(Refusal refusal, String id) {
    return switch (refusal) {
      case Refusal.NotFound n -> error(404, notFound(n.kind()), noun(n.kind()) + " not found", id);
      case Refusal.Unauthenticated u -> unauthenticated(u.why(), id);
      case Refusal.Denied d -> denied(d.action(), id);
      case Refusal.Unreadable u -> error(400, "invalid_request", u.why(), id);
      case Refusal.WrongMediaType _ -> misdirected(415, id);
      case Refusal.Invalid i -> invalid(i, id);
      case Refusal.WrongState w ->
          error(
              409,
              w.kind() == Kind.LEASE ? "allocation_invalid_state" : "invalid_state",
              "It is " + w.state() + "; this needs it to be " + w.wanted(),
              id);
      case Refusal.Exists e -> error(409, exists(e.kind()), e.why(), id);
      case Refusal.NeverFits n ->
          error(409, "sku_unavailable", n.sku() + " cannot be had here: " + n.why(), id);
      case Refusal.UnknownGpu u ->
          error(400, "validation_error", "There is no GPU called " + u.name(), id);
      case Refusal.PriceTooHigh p ->
          error(
              409,
              "price_too_high",
              "It costs "
                  + dollars(p.pricePerHourMicros())
                  + " an hour, more than the "
                  + dollars(p.capPerHourMicros())
                  + " that were set as the most",
              id);
      case Refusal.InsufficientFunds f ->
          error(
              402,
              "insufficient_funds",
              "The account has "
                  + dollars(f.hasMicros())
                  + " "
                  + f.currency()
                  + " free, and this needs "
                  + dollars(f.needsMicros()),
              id);
      case Refusal.BudgetExceeded b -> error(409, "quota_exceeded", b.what(), id);
      case Refusal.IdempotencyConflict c ->
          error(
                  409,
                  "idempotency_conflict",
                  "The first request with this idempotency key is still being answered",
                  id)
              .with("Retry-After", seconds(c.retryAfter()));
      case Refusal.IdempotencyMismatch _ ->
          error(
              409,
              "idempotency_conflict",
              "This idempotency key was used for another request; use a new one",
              id);
      case Refusal.RateLimited r -> rateLimited(r, id);
      case Refusal.TooMany t ->
          error(
              409,
              "quota_exceeded",
              "The project has the most it may have: "
                  + t.limit()
                  + " "
                  + noun(t.kind()).toLowerCase(java.util.Locale.ROOT)
                  + "s",
              id);
      case Refusal.NotReady n ->
          error(
                  503,
                  "upstream_error",
                  "Cannot reach " + n.what() + "; nothing was done, try again",
                  id)
              .with("Retry-After", seconds(n.retryAfter()));
    };
  }

  private static String exists(Kind kind) {
    return switch (kind) {
      case SSH_KEY -> "ssh_key_exists";
      case PROJECT -> "project_exists";
      case SERVICE_ACCOUNT -> "service_account_exists";
      case PERSON -> "user_exists";
      default -> "already_exists";
    };
  }

  private static String notFound(Kind kind) {
    return switch (kind) {
      case LEASE -> "allocation_not_found";
      case SSH_KEY -> "ssh_key_not_found";
      case OPERATION -> "operation_not_found";
      case API_KEY -> "api_key_not_found";
      case WEBHOOK -> "webhook_not_found";
      case DELIVERY -> "delivery_not_found";
      case PROJECT -> "project_not_found";
      case BUDGET -> "budget_not_found";
      case DISK -> "disk_not_found";
      case PERSON -> "user_not_found";
      case MEMBER -> "membership_not_found";
      case INVITATION -> "invitation_not_found";
      case SERVICE_ACCOUNT -> "service_account_not_found";
      case SESSION -> "session_not_found";
    };
  }

  private static String noun(Kind kind) {
    return switch (kind) {
      case LEASE -> "Allocation";
      case SSH_KEY -> "SSH key";
      case OPERATION -> "Operation";
      case API_KEY -> "API key";
      case WEBHOOK -> "Webhook endpoint";
      case DELIVERY -> "Delivery";
      case PROJECT -> "Project";
      case BUDGET -> "Budget";
      case DISK -> "Disk";
      case PERSON -> "User";
      case MEMBER -> "Membership";
      case INVITATION -> "Invitation";
      case SERVICE_ACCOUNT -> "Service account";
      case SESSION -> "Session";
    };
  }

  private static Reply unauthenticated(Refusal.Unauthenticated.Why why, String id) {
    Reply reply =
        switch (why) {
          case MISSING -> error(401, "token_missing", "Send Authorization: Bearer <token>", id);
          case INVALID -> error(401, "token_invalid", "The token is not one of ours", id);
          case EXPIRED -> error(401, "token_expired", "The token has expired; get a new one", id);
        };
    return reply.with("WWW-Authenticate", "Bearer");
  }

  private static Reply denied(Action action, String id) {

    return error(
        403,
        "insufficient_permissions",
        "This needs a right that you do not have: "
            + action.name().toLowerCase(java.util.Locale.ROOT),
        id);
  }

  private static Reply invalid(Refusal.Invalid invalid, String id) {
    Map<String, Object> details = new LinkedHashMap<>();
    for (FieldProblem problem : invalid.fields()) {
      details.putIfAbsent(problem.field(), problem.problem());
    }
    FieldProblem first = invalid.fields().getFirst();
    return Reply.json(
        400, new Envelope("validation_error", first.field() + " " + first.problem(), id, details));
  }

  private static Reply rateLimited(Refusal.RateLimited limited, String id) {
    return error(
            429,
            "rate_limit_exceeded",
            "Too many requests; the limit is " + limited.limit() + " per minute",
            id)
        .with("X-RateLimit-Limit", Long.toString(limited.limit()))
        .with("X-RateLimit-Remaining", "0")
        .with("Retry-After", seconds(limited.retryAfter()));
  }

  /** Names and passwords are not taken here. */
  static Reply personalDisabled(String id) {
    return error(
        401,
        "auth_personal_disabled",
        "Names and passwords are not taken here; log in by /api/v1/auth/oidc/authorize",
        id);
  }

  /** Does not say which of the two it is. */
  static Reply wrongPassword(String id) {
    return error(401, "token_invalid", "The name or the password is wrong", id);
  }

  static Reply misdirected(int status, String id) {
    String message =
        switch (status) {
          case 404 -> "There is nothing at this path";
          case 405 -> "This path does not know this method";
          case 413 -> "The body is too long";
          case 431 -> "The headers are too long";
          default -> "The request cannot be read";
        };
    return error(status, "invalid_request", message, id);
  }

  static Reply crashed(String id) {
    return error(
        500, "internal_error", "Something failed here; it is logged under the correlation id", id);
  }

  private static Reply error(int status, String code, String message, String id) {
    return Reply.json(status, new Envelope(code, message, id, Map.of()));
  }

  /** Millionths as a sum with all the digits that matter. */
  private static String dollars(long micros) {
    return BigDecimal.valueOf(micros, 6).stripTrailingZeros().toPlainString();
  }

  /** Whole seconds, rounded up, so that whoever waits that long is let in. */
  private static String seconds(Duration duration) {
    return Long.toString(Math.max(1, (duration.toMillis() + 999) / 1000));
  }
}
