package gpuaas.http;

import gpuaas.base.Action;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * One thing a dialect answers.
 *
 * @param path with parameters in braces
 * @param needs what the caller must be allowed, before anything else is looked at; empty: the
 *     services say
 */
public record Route(
    String method, String path, Access access, Optional<Action> needs, Handler handler) {

  public Route(String method, String path, Access access, Handler handler) {
    this(method, path, access, Optional.empty(), handler);
  }

  /** The same, for callers who are allowed this. */
  public Route needing(Action action) {
    return new Route(method, path, access, Optional.of(action), handler);
  }

  /** Who may come. */
  public enum Access {
    /** Anybody. */
    PUBLIC,
    /** Whoever the dialect knows. */
    CALLER
  }

  /** What is done. */
  public sealed interface Handler {
    /** Changes nothing, or nothing that a key could protect. */
    record Plain(Function<Request, Reply> work) implements Handler {}

    /** Changes something, in a transaction that also keeps the answer for an idempotency key. */
    record Once(BiFunction<Request, Tx, Reply> work) implements Handler {}

    /** The same for a change that may share its transaction, as {@link Database#together} says. */
    record OnceTogether(BiFunction<Request, Tx, Reply> work) implements Handler {}

    /** Changes something, in a transaction; a key means nothing here. */
    record Change(BiFunction<Request, Tx, Reply> work) implements Handler {}
  }

  /** Reads, for callers. */
  public static Route get(String path, Function<Request, Reply> work) {
    return new Route("GET", path, Access.CALLER, new Handler.Plain(work));
  }

  /** Reads, for everybody. */
  public static Route publicGet(String path, Function<Request, Reply> work) {
    return new Route("GET", path, Access.PUBLIC, new Handler.Plain(work));
  }

  /** Does something, each time it is asked. */
  public static Route change(String method, String path, BiFunction<Request, Tx, Reply> work) {
    return new Route(method, path, Access.CALLER, new Handler.Change(work));
  }

  /** Does something once for each idempotency key, at best together with what others ask for. */
  public static Route onceTogether(
      String method, String path, BiFunction<Request, Tx, Reply> work) {
    return new Route(method, path, Access.CALLER, new Handler.OnceTogether(work));
  }

  /** Does something once for each idempotency key. */
  public static Route once(String method, String path, BiFunction<Request, Tx, Reply> work) {
    return new Route(method, path, Access.CALLER, new Handler.Once(work));
  }
}
