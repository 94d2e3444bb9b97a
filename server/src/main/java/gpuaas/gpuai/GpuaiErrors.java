package gpuaas.gpuai;

import gpuaas.base.Refusal;
import gpuaas.base.Refusal.FieldProblem;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.http.Json;
import gpuaas.http.Reply;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.stream.Collectors;

/**
 * Every no as a problem document (RFC 7807), with the thirteen codes that every SDK knows and no
 * others; finer reasons are in the detail.
 *
 * @param base what the type of a problem begins with
 */
record GpuaiErrors(String base) {

  private static final String PROBLEM = "application/problem+json";

  private record Problem(
      String type, String title, int status, String detail, String code, String requestId) {}

  Reply refused(Refusal refusal, String id) {
    return switch (refusal) {
      case Refusal.NotFound n -> problem(404, "not_found", notFound(n.kind()), id);
      case Refusal.Unauthenticated u -> unauthenticated(u.why(), id);
      case Refusal.Denied _ ->
          problem(403, "insufficient_scope", "The API key has no scope that allows this.", id);
      case Refusal.Unreadable u -> problem(400, "validation_failed", u.why(), id);
      case Refusal.WrongMediaType _ -> misdirected(415, id);
      case Refusal.Invalid i -> problem(422, "validation_failed", sentence(i), id);
      case Refusal.WrongState w ->
          problem(
              422,
              "validation_failed",
              "It is " + w.state() + "; this needs it to be " + w.wanted() + ".",
              id);
      case Refusal.Exists e -> problem(422, "validation_failed", e.why(), id);
      case Refusal.NeverFits n -> problem(422, "validation_failed", n.why(), id);
      case Refusal.PriceTooHigh p ->
          problem(
              422,
              "validation_failed",
              "The price is "
                  + dollars(p.pricePerHourMicros())
                  + " an hour, above max_price_per_hour "
                  + dollars(p.capPerHourMicros())
                  + ".",
              id);
      case Refusal.InsufficientFunds f ->
          problem(
              402,
              "insufficient_balance",
              "The balance is "
                  + dollars(f.hasMicros())
                  + " "
                  + f.currency()
                  + ", and this needs "
                  + dollars(f.needsMicros())
                  + " set aside. Add funds and try again with a new idempotency key.",
              id);
      case Refusal.BudgetExceeded b -> problem(403, "quota_exceeded", b.what(), id);
      case Refusal.TooMany t ->
          problem(
              403,
              "quota_exceeded",
              "There are " + t.limit() + " already, which is the most that is allowed.",
              id);
      case Refusal.UnknownGpu u ->
          problem(
              422,
              "invalid_gpu_type",
              "There is no GPU type " + u.name() + "; GET /gpu-types lists them.",
              id);
      case Refusal.IdempotencyConflict c ->
          problem(
                  409,
                  "idempotency_conflict",
                  "The first request with this idempotency key is still being answered.",
                  id)
              .with("Retry-After", seconds(c.retryAfter()));
      case Refusal.IdempotencyMismatch _ ->
          problem(
              422,
              "idempotency_mismatch",
              "This idempotency key was used for another request; use a new one.",
              id);
      case Refusal.RateLimited r ->
          problem(429, "rate_limited", "Too many requests; slow down.", id)
              .with("Retry-After", seconds(r.retryAfter()));
      case Refusal.NotReady n ->
          problem(
                  503,
                  "internal_error",
                  "Cannot reach " + n.what() + "; nothing was done, try again.",
                  id)
              .with("Retry-After", seconds(n.retryAfter()));
    };
  }

  private Reply unauthenticated(Why why, String id) {
    Reply reply =
        switch (why) {
          case MISSING ->
              problem(401, "unauthenticated", "Send Authorization: Bearer <API key>.", id);
          case INVALID, EXPIRED ->
              problem(
                  401,
                  "invalid_api_key",
                  "The API key is malformed, unknown, expired or revoked.",
                  id);
        };
    return reply.with("WWW-Authenticate", "Bearer");
  }

  Reply misdirected(int status, String id) {
    String code = status == 404 ? "not_found" : "validation_failed";
    String detail =
        switch (status) {
          case 404 -> "There is nothing at this path.";
          case 405 -> "This path does not know this method.";
          case 413 -> "The body is too long.";
          case 415 -> "Send JSON, with Content-Type: application/json.";
          case 431 -> "The headers are too long.";
          default -> "The request cannot be read.";
        };
    return problem(status, code, detail, id);
  }

  Reply crashed(String id) {
    return problem(
        500, "internal_error", "Something failed here; it is logged under the request id.", id);
  }

  private Reply problem(int status, String code, String detail, String id) {
    Problem body = new Problem(base + code, title(status), status, detail, code, id);
    return Reply.text(status, PROBLEM, Json.write(body));
  }

  private static String notFound(Kind kind) {
    String noun =
        switch (kind) {
          case LEASE -> "instance";
          case SSH_KEY -> "SSH key";
          case OPERATION -> "operation";
          case API_KEY -> "API key";
          case WEBHOOK -> "webhook endpoint";
          case DELIVERY -> "delivery";
          case PROJECT -> "project";
          case BUDGET -> "budget";
          case DISK -> "disk";
          case PERSON -> "user";
          case MEMBER -> "member";
          case INVITATION -> "invitation";
          case SERVICE_ACCOUNT -> "service account";
          case SESSION -> "session";
          case GROUP -> "group";
          case TENANT -> "organization";
          case POLICY -> "policy";
        };
    return "There is no such " + noun + ".";
  }

  private static String sentence(Refusal.Invalid invalid) {
    return invalid.fields().stream()
        .map(GpuaiErrors::sentence)
        .collect(Collectors.joining("; ", "", "."));
  }

  private static String sentence(FieldProblem problem) {
    return problem.field() + " " + problem.problem();
  }

  /** The classic reason phrases, also where newer documents have changed them. */
  private static String title(int status) {
    return switch (status) {
      case 400 -> "Bad Request";
      case 401 -> "Unauthorized";
      case 402 -> "Payment Required";
      case 403 -> "Forbidden";
      case 404 -> "Not Found";
      case 405 -> "Method Not Allowed";
      case 406 -> "Not Acceptable";
      case 409 -> "Conflict";
      case 413 -> "Request Entity Too Large";
      case 414 -> "URI Too Long";
      case 415 -> "Unsupported Media Type";
      case 422 -> "Unprocessable Entity";
      case 429 -> "Too Many Requests";
      case 431 -> "Request Header Fields Too Large";
      case 500 -> "Internal Server Error";
      case 503 -> "Service Unavailable";
      default -> status < 500 ? "Bad Request" : "Internal Server Error";
    };
  }

  private static String dollars(long micros) {
    return BigDecimal.valueOf(micros, 6).stripTrailingZeros().toPlainString();
  }

  /** Whole seconds, rounded up, so that whoever waits that long is let in. */
  private static String seconds(Duration duration) {
    return Long.toString(Math.max(1, (duration.toMillis() + 999) / 1000));
  }
}
