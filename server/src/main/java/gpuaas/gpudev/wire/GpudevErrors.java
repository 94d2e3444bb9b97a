package gpuaas.gpudev.wire;

import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.http.Reply;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Every no as this dialect says it: {@code detail}, a sentence or a list. */
public final class GpudevErrors {

  private GpudevErrors() {}

  public static Reply refused(Refusal refusal) {
    return switch (refusal) {
      case Refusal.NotFound n -> error(404, kind(n.kind()) + " " + quoted(n.id()) + " not found");
      case Refusal.Unauthenticated u ->
          switch (u.why()) {
            case MISSING -> unauthenticated("Not authenticated");
            case INVALID -> error(401, "Invalid API key");
            case EXPIRED -> error(403, "API key has expired");
          };
      case Refusal.Denied d ->
          error(
              403,
              "This API key does not allow "
                  + d.action().name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '));
      case Refusal.Unreadable u -> error(400, u.why());
      case Refusal.WrongMediaType w -> error(400, "Cannot read a body of type " + w.type());
      case Refusal.Invalid i ->
          error(
              400,
              i.fields().stream()
                  .map(field -> (field.field() + " " + field.problem()).strip())
                  .collect(Collectors.joining("; ")));
      case Refusal.WrongState w ->
          error(409, kind(w.kind()) + " " + quoted(w.id()) + " is " + w.state());
      case Refusal.Exists e -> error(409, e.why());
      case Refusal.NeverFits n -> error(400, "This can never start: " + n.why());
      case Refusal.UnknownGpu u -> error(400, "This can never start: no machine has " + u.name());
      case Refusal.PriceTooHigh p ->
          error(
              400,
              "It costs "
                  + p.pricePerHourMicros()
                  + " millionths of a dollar an hour, more than "
                  + p.capPerHourMicros());
      case Refusal.InsufficientFunds f ->
          error(
              402,
              "The balance is "
                  + f.hasMicros() / 1_000_000.0
                  + " "
                  + f.currency()
                  + ", and this needs "
                  + f.needsMicros() / 1_000_000.0
                  + " set aside");
      case Refusal.BudgetExceeded b -> error(403, b.what());
      case Refusal.TooMany t ->
          error(403, "There are " + t.limit() + " already, which is the most that is allowed");
      case Refusal.IdempotencyConflict c ->
          later(409, "It is still being answered", c.retryAfter());
      case Refusal.IdempotencyMismatch _ -> error(409, "The key was used for another request");
      case Refusal.RateLimited r -> later(429, "Too many requests", r.retryAfter());
      case Refusal.NotReady n ->
          later(503, "Cannot reach " + n.what() + "; nothing was done, try again", n.retryAfter());
    };
  }

  public static Reply misdirected(int status) {
    return switch (status) {
      case 404 -> error(404, "Not Found");
      case 405 -> error(405, "Method Not Allowed");
      case 413 -> error(413, "Request Entity Too Large");
      case 431 -> error(431, "Request Header Fields Too Large");
      default -> error(status, "There was an error parsing the request");
    };
  }

  public static Reply unauthenticated(String detail) {
    return error(401, detail).with("WWW-Authenticate", "Bearer");
  }

  public static Reply error(int status, String detail) {
    return GpudevJson.reply(status, Map.of("detail", detail));
  }

  /** What is wrong with a request, all of it. */
  public static Reply invalid(List<Map<String, Object>> problems) {
    return GpudevJson.reply(422, Map.of("detail", problems));
  }

  private static Reply later(int status, String detail, Duration pause) {
    long seconds = Math.max(1, Math.ceilDiv(pause.toMillis(), 1000));
    return error(status, detail).with("Retry-After", Long.toString(seconds));
  }

  private static String kind(Kind kind) {
    return kind == Kind.LEASE ? "Job" : kind.name().toLowerCase(java.util.Locale.ROOT);
  }

  /** What somebody sent, fit to be said again. */
  public static String quoted(String text) {
    String clean = text.replaceAll("\\p{Cntrl}", "");
    return clean.length() > 255 ? clean.substring(0, 255) : clean;
  }
}
