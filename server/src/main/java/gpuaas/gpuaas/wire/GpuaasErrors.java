package gpuaas.gpuaas.wire;

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
public final class GpuaasErrors {

  private GpuaasErrors() {}

  /**
   * The envelope. {@code details} is always there, and says for each field what is wrong with it.
   */
  record Envelope(String code, String message, String correlationId, Map<String, Object> details) {}

  /** A no of the core. */
  public static Reply refused(Refusal refusal, String id) {
    return switch (refusal) {
      case Refusal.NotFound n -> error(notFound(n.kind()), noun(n.kind()) + " not found", id);
      case Refusal.Unauthenticated u -> unauthenticated(u.why(), id);
      case Refusal.Denied d -> denied(d.action(), id);
      case Refusal.Unreadable u -> error(ErrorCode.INVALID_REQUEST, u.why(), id);
      case Refusal.WrongMediaType _ -> misdirected(415, id);
      case Refusal.Invalid i -> invalid(i, id);
      case Refusal.WrongState w ->
          error(
              w.kind() == Kind.LEASE ? ErrorCode.ALLOCATION_INVALID_STATE : ErrorCode.INVALID_STATE,
              "It is " + w.state() + "; this needs it to be " + w.wanted(),
              id);
      case Refusal.Exists e -> error(exists(e.kind()), e.why(), id);
      case Refusal.NeverFits n ->
          error(ErrorCode.SKU_UNAVAILABLE, n.sku() + " cannot be had here: " + n.why(), id);
      case Refusal.UnknownGpu u ->
          error(ErrorCode.VALIDATION_ERROR, "There is no GPU called " + u.name(), id);
      case Refusal.PriceTooHigh p ->
          error(
              ErrorCode.PRICE_TOO_HIGH,
              "It costs "
                  + dollars(p.pricePerHourMicros())
                  + " an hour, more than the "
                  + dollars(p.capPerHourMicros())
                  + " that were set as the most",
              id);
      case Refusal.InsufficientFunds f ->
          error(
              ErrorCode.INSUFFICIENT_BALANCE,
              "The account has "
                  + dollars(f.hasMicros())
                  + " "
                  + f.currency()
                  + " free, and this needs "
                  + dollars(f.needsMicros()),
              id);
      case Refusal.BudgetExceeded b -> error(ErrorCode.QUOTA_EXCEEDED, b.what(), id);
      case Refusal.IdempotencyConflict c ->
          error(
                  ErrorCode.IDEMPOTENCY_CONFLICT,
                  "The first request with this idempotency key is still being answered",
                  id)
              .with("Retry-After", seconds(c.retryAfter()));
      case Refusal.IdempotencyMismatch _ ->
          error(
              ErrorCode.IDEMPOTENCY_CONFLICT,
              "This idempotency key was used for another request; use a new one",
              id);
      case Refusal.RateLimited r -> rateLimited(r, id);
      case Refusal.TooMany t ->
          error(
              ErrorCode.QUOTA_EXCEEDED,
              "The project has the most it may have: "
                  + t.limit()
                  + " "
                  + noun(t.kind()).toLowerCase(java.util.Locale.ROOT)
                  + "s",
              id);
      case Refusal.NotReady n ->
          error(
                  ErrorCode.UPSTREAM_ERROR,
                  "Cannot reach " + n.what() + "; nothing was done, try again",
                  id)
              .with("Retry-After", seconds(n.retryAfter()));
    };
  }

  private static ErrorCode exists(Kind kind) {
    return switch (kind) {
      case SSH_KEY -> ErrorCode.SSH_KEY_EXISTS;
      case PROJECT -> ErrorCode.PROJECT_EXISTS;
      case SERVICE_ACCOUNT -> ErrorCode.SERVICE_ACCOUNT_EXISTS;
      case PERSON -> ErrorCode.USER_EXISTS;
      default -> ErrorCode.ALREADY_EXISTS;
    };
  }

  private static ErrorCode notFound(Kind kind) {
    return switch (kind) {
      case LEASE -> ErrorCode.ALLOCATION_NOT_FOUND;
      case SSH_KEY -> ErrorCode.SSH_KEY_NOT_FOUND;
      case OPERATION -> ErrorCode.OPERATION_NOT_FOUND;
      case API_KEY -> ErrorCode.API_KEY_NOT_FOUND;
      case WEBHOOK -> ErrorCode.WEBHOOK_NOT_FOUND;
      case DELIVERY -> ErrorCode.DELIVERY_NOT_FOUND;
      case PROJECT -> ErrorCode.PROJECT_NOT_FOUND;
      case BUDGET -> ErrorCode.BUDGET_NOT_FOUND;
      case DISK -> ErrorCode.DISK_NOT_FOUND;
      case PERSON -> ErrorCode.USER_NOT_FOUND;
      case MEMBER -> ErrorCode.MEMBERSHIP_NOT_FOUND;
      case INVITATION -> ErrorCode.INVITATION_NOT_FOUND;
      case SERVICE_ACCOUNT -> ErrorCode.SERVICE_ACCOUNT_NOT_FOUND;
      case SESSION -> ErrorCode.SESSION_NOT_FOUND;
      case GROUP -> ErrorCode.ALLOCATION_GROUP_NOT_FOUND;
      case TENANT -> ErrorCode.TENANT_NOT_FOUND;
      case POLICY -> ErrorCode.POLICY_NOT_FOUND;
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
      case GROUP -> "Allocation group";
      case TENANT -> "Tenant";
      case POLICY -> "Policy";
    };
  }

  private static Reply unauthenticated(Refusal.Unauthenticated.Why why, String id) {
    Reply reply =
        switch (why) {
          case MISSING -> error(ErrorCode.TOKEN_MISSING, "Send Authorization: Bearer <token>", id);
          case INVALID -> error(ErrorCode.TOKEN_INVALID, "The token is not one of ours", id);
          case EXPIRED ->
              error(ErrorCode.TOKEN_EXPIRED, "The token has expired; get a new one", id);
        };
    return reply.with("WWW-Authenticate", "Bearer");
  }

  private static Reply denied(Action action, String id) {

    return error(
        ErrorCode.INSUFFICIENT_PERMISSIONS,
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
        400,
        new Envelope(
            ErrorCode.VALIDATION_ERROR.text(), first.field() + " " + first.problem(), id, details));
  }

  private static Reply rateLimited(Refusal.RateLimited limited, String id) {
    return error(
            ErrorCode.RATE_LIMIT_EXCEEDED,
            "Too many requests; the limit is " + limited.limit() + " per minute",
            id)
        .with("X-RateLimit-Limit", Long.toString(limited.limit()))
        .with("X-RateLimit-Remaining", "0")
        .with("Retry-After", seconds(limited.retryAfter()));
  }

  /** Names and passwords are not taken here. */
  public static Reply personalDisabled(String id) {
    return error(
        ErrorCode.AUTH_PERSONAL_DISABLED,
        "Names and passwords are not taken here; log in by /api/v1/auth/oidc/authorize",
        id);
  }

  /** Somebody whose name another provider knows wants to come in by a password. */
  public static Reply enterpriseRequired(String id) {
    return error(
        ErrorCode.AUTH_ENTERPRISE_REQUIRED,
        "This account logs in at its own provider; log in by /api/v1/auth/oidc/authorize",
        id);
  }

  /** Does not say which of the two it is. */
  public static Reply wrongPassword(String id) {
    return error(ErrorCode.TOKEN_INVALID, "The name or the password is wrong", id);
  }

  /** A request that is no good HTTP for us. */
  public static Reply misdirected(int status, String id) {
    String message =
        switch (status) {
          case 404 -> "There is nothing at this path";
          case 405 -> "This path does not know this method";
          case 408 -> "The body came too slowly";
          case 413 -> "The body is too long";
          case 431 -> "The headers are too long";
          default -> "The request cannot be read";
        };
    return Reply.json(
        status, new Envelope(ErrorCode.INVALID_REQUEST.text(), message, id, Map.of()));
  }

  /** Our own failure. */
  public static Reply crashed(String id) {
    return error(
        ErrorCode.INTERNAL_ERROR,
        "Something failed here; it is logged under the correlation id",
        id);
  }

  private static Reply error(ErrorCode code, String message, String id) {
    return Reply.json(code.status(), new Envelope(code.text(), message, id, Map.of()));
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
