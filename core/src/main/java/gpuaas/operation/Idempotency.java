package gpuaas.operation;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.base.SecretBox;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.Json;
import gpuaas.db.Tx;
import gpuaas.operation.IdempotencyStore.Entry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Does a request once for each key. The key, the effect and the answer are written in one
 * transaction: whoever comes with the same key meanwhile waits for it, and gets the same answer.
 */
public final class Idempotency {

  private static final String PURPOSE = "reply";

  private final Database database;
  private final InstantSource clock;
  private final SecretBox secrets;
  private final Duration kept;

  /**
   * @param secrets encrypts the answers, for some hold what is shown only once
   * @param kept how long an answer is remembered
   */
  public Idempotency(Database database, InstantSource clock, SecretBox secrets, Duration kept) {
    this.database = database;
    this.clock = clock;
    this.secrets = secrets;
    this.kept = kept;
  }

  /** An answer as it is kept. */
  public record Answer(int status, Map<String, String> headers, String contentType, String body) {
    public Answer {
      headers = Map.copyOf(headers);
    }
  }

  /**
   * What came of it.
   *
   * @param replayed true: it was done before, and nothing was done now
   */
  public record Outcome(Answer answer, boolean replayed) {}

  /**
   * The answer of the first request with this key in this scope.
   *
   * @param scope who asks for what: principal, method and path
   * @param request everything that makes another request another
   */
  public Outcome once(String scope, String key, String request, Function<Tx, Answer> effect) {
    byte[] hash = Secrets.hash(request);
    return database.tx(tx -> {
      IdempotencyStore.deleteBefore(tx, scope, key, clock.instant().minus(kept));
      if (!IdempotencyStore.begin(tx, scope, key, hash, clock.instant())) {
        IdempotencyStore.Kept first = IdempotencyStore.get(tx, scope, key, hash);
        if (!first.sameRequest()) {
          throw new Refused(new Refusal.IdempotencyMismatch());
        }
        return new Outcome(Json.read(secrets.unseal(first.sealed(), PURPOSE), Answer.class), true);
      }
      Answer answer = effect.apply(tx);
      IdempotencyStore.finish(tx, scope, key, answer.status(), sealed(answer));
      return new Outcome(answer, false);
    });
  }

  /**
   * The same for an effect that can be had together with others: see {@link Database#together}.
   * Whoever is not the first with its key, and whoever is refused, goes the way of {@link #once}.
   */
  public Outcome onceTogether(
      String scope, String key, String request, Function<Tx, Answer> effect) {
    Supplier<Outcome> alone = () -> once(scope, key, request, effect);
    String hash = "\\x" + HexFormat.of().formatHex(Secrets.hash(request));
    try {
      return database.together(
          tx -> {
            Answer answer = effect.apply(tx);
            tx.claim(
                IdempotencyStore.KEPT,
                new Entry(scope, key, hash, clock.instant(), answer.status(), sealed(answer)));
            return new Outcome(answer, false);
          },
          alone);
    } catch (Refused _) {
      return alone.get(); // there may be an answer already; if not, the same no again
    }
  }

  /**
   * Keeps a no that would be the same again. The request had no effect, so that this is a
   * transaction of its own; whoever came first with the key wins.
   */
  public void remember(String scope, String key, String request, Answer refusal) {
    database.run(tx -> {
      if (IdempotencyStore.begin(tx, scope, key, Secrets.hash(request), clock.instant())) {
        IdempotencyStore.finish(tx, scope, key, refusal.status(), sealed(refusal));
      }
    });
  }

  private String sealed(Answer answer) {
    return secrets.seal(Json.write(answer), PURPOSE);
  }

  /** Forgets what is too old; called now and then. */
  public void forgetOld() {
    database.run(tx -> IdempotencyStore.deleteAllBefore(tx, clock.instant().minus(kept)));
  }
}
