package gpuaas.shopper;

import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.http.Reply;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Every no as this dialect says it: a sentence, and the id of the request. */
final class ShopperErrors {

  private ShopperErrors() {}

  static Reply refused(Refusal refusal, String id) {
    return switch (refusal) {
      case Refusal.NotFound n -> error(404, notFound(n), id);
      case Refusal.Unauthenticated _ ->
          error(401, "a key is needed: send X-Api-Key, or Authorization: Bearer", id)
              .with("WWW-Authenticate", "Bearer");
      case Refusal.Denied d ->
          error(
              403,
              "this key may not do that: " + d.action().name().toLowerCase(java.util.Locale.ROOT),
              id);
      case Refusal.Unreadable u -> error(400, u.why(), id);
      case Refusal.WrongMediaType w -> error(400, "cannot read a body of type " + w.type(), id);
      case Refusal.Invalid i -> error(400, sentences(i), id);
      case Refusal.WrongState w ->
          error(409, "session " + w.id() + " is in terminal state: " + w.state(), id);
      case Refusal.Exists e -> error(409, e.why(), id);
      case Refusal.NeverFits n -> error(400, n.why(), id);
      case Refusal.PriceTooHigh p ->
          error(
              400,
              "it costs "
                  + ShopperJson.dollars(p.pricePerHourMicros())
                  + " USD an hour, more than "
                  + ShopperJson.dollars(p.capPerHourMicros()),
              id);
      case Refusal.InsufficientFunds f ->
          error(
              402,
              "the balance is "
                  + ShopperJson.dollars(f.hasMicros())
                  + " "
                  + f.currency()
                  + ", and this needs "
                  + ShopperJson.dollars(f.needsMicros())
                  + " set aside",
              id);
      case Refusal.BudgetExceeded b -> error(403, b.what(), id);
      case Refusal.TooMany t ->
          error(403, "there are " + t.limit() + " already, which is the most that is allowed", id);
      case Refusal.UnknownGpu u -> error(404, "offer not found: no provider has " + u.name(), id);
      case Refusal.IdempotencyConflict c ->
          later(409, "it is still being answered", c.retryAfter(), id);
      case Refusal.IdempotencyMismatch _ -> error(409, "the key was used for another request", id);
      case Refusal.RateLimited r -> later(429, "too many requests", r.retryAfter(), id);
      case Refusal.NotReady n ->
          later(
              503,
              "cannot reach " + n.what() + "; nothing was done, try again",
              n.retryAfter(),
              id);
    };
  }

  /**
   * What is no request for us. A path or method that there is not is plain text, as clients know
   * it.
   */
  static Reply misdirected(int status, String id) {
    return switch (status) {
      case 404, 405 -> Reply.text(404, "text/plain", "404 page not found");
      case 413 -> error(400, "http: request body too large", id);
      case 431 -> error(431, "the headers are too long", id);
      default -> error(status, "the request cannot be read", id);
    };
  }

  static Reply crashed(String id) {
    return error(500, "internal server error", id);
  }

  static Reply error(int status, String text, String id) {
    return error(status, text, Map.of(), id);
  }

  /** An error that says more than a sentence. */
  static Reply error(int status, String text, Map<String, ?> more, String id) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("error", text);
    body.putAll(more);
    body.put("request_id", id);
    return ShopperJson.reply(status, body);
  }

  private static Reply later(int status, String text, Duration pause, String id) {
    long seconds = Math.max(1, Math.ceilDiv(pause.toMillis(), 1000));
    return error(status, text, id).with("Retry-After", Long.toString(seconds));
  }

  private static String sentences(Refusal.Invalid invalid) {
    return invalid.fields().stream()
        .map(field ->
            field.field().isEmpty() ? field.problem() : field.field() + " " + field.problem())
        .collect(Collectors.joining("; "));
  }

  private static String notFound(Refusal.NotFound missing) {
    return missing.kind() == Kind.LEASE
        ? "record not found"
        : missing.kind().name().toLowerCase(java.util.Locale.ROOT) + " not found";
  }

  /** What somebody sent, fit to be said again. */
  static String quoted(String text) {
    String clean = text.replaceAll("[\\p{Cntrl}<>]", "");
    return clean.length() > 128 ? clean.substring(0, 128) : clean;
  }
}
