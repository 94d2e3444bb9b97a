package gpuaas.base;

import java.time.Duration;
import java.util.List;

/**
 * Our no to a caller. Translated into words and a status by each dialect, in a switch that the
 * compiler keeps complete; the core knows nothing of HTTP.
 */
public sealed interface Refusal {

  /** There is none, or it is not the caller's to know about. */
  record NotFound(Kind kind, String id) implements Refusal {}

  /** We do not know who asks. */
  record Unauthenticated(Why why) implements Refusal {
    /** What is wrong with the credential. */
    public enum Why {
      MISSING,
      INVALID,
      EXPIRED
    }
  }

  /** We know who asks, and they may not. */
  record Denied(Action action) implements Refusal {}

  /** What was sent cannot be read at all. */
  record Unreadable(String why) implements Refusal {}

  /** What was sent is in no form that is read here. */
  record WrongMediaType(String type) implements Refusal {}

  /** What was sent can be read and breaks a rule, field by field. */
  record Invalid(List<FieldProblem> fields) implements Refusal {
    public Invalid {
      fields = List.copyOf(fields);
    }

    /** One field, one problem. */
    public static Invalid field(String field, String problem) {
      return new Invalid(List.of(new FieldProblem(field, problem)));
    }
  }

  /** One field and what is wrong with it, as a sentence without the field's name. */
  record FieldProblem(String field, String problem) {}

  /** It is in a state in which this cannot be done. */
  record WrongState(Kind kind, String id, String state, String wanted) implements Refusal {}

  /** It exists already. */
  record Exists(Kind kind, String why) implements Refusal {}

  /** Nothing we have could ever fill this. */
  record NeverFits(String sku, String why) implements Refusal {}

  /** What we sell at this price costs more than the caller wants to pay. */
  record PriceTooHigh(long pricePerHourMicros, long capPerHourMicros) implements Refusal {}

  /** The account does not cover it. */
  record InsufficientFunds(long hasMicros, long needsMicros, String currency) implements Refusal {}

  /** A limit that somebody set on what may be spent or used. */
  record BudgetExceeded(String what) implements Refusal {}

  /** There is no GPU of this name in the catalogue. */
  record UnknownGpu(String name) implements Refusal {}

  /** The same idempotency key came, and its first request is still being answered. */
  record IdempotencyConflict(Duration retryAfter) implements Refusal {}

  /** The same idempotency key came with another request. */
  record IdempotencyMismatch() implements Refusal {}

  /** Too often. */
  record RateLimited(long limit, Duration retryAfter) implements Refusal {}

  /** A limit on how many one may have. */
  record TooMany(Kind kind, int limit) implements Refusal {}

  /** Something we need is not there; nothing was done, and later it may work. */
  record NotReady(String what, Duration retryAfter) implements Refusal {}

  /** The kinds of things that can be missing. */
  enum Kind {
    LEASE,
    SSH_KEY,
    OPERATION,
    API_KEY,
    WEBHOOK,
    DELIVERY,
    PROJECT,
    BUDGET,
    DISK,
    PERSON,
    MEMBER,
    INVITATION,
    SERVICE_ACCOUNT,
    SESSION,
    GROUP,
    TENANT,
    POLICY
  }
}
