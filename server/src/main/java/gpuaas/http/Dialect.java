package gpuaas.http;

import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** One wire form over the core: five things and no behaviour. */
public interface Dialect {

  /** Also the listener's name in the settings. */
  String name();

  /** Method, path, access and handler of everything it answers. */
  List<Route> routes();

  /** The terminals and other sockets it opens. */
  default List<SocketRoute> sockets() {
    return List.of();
  }

  /** Who asks; throws {@link gpuaas.base.Refused} when that is not known. */
  Caller authenticate(Request request);

  /** A no in this dialect's words. */
  Reply refused(Refusal refusal, String correlationId);

  /** A request that is no good HTTP for us: a wrong method, an unknown path, a header too long. */
  Reply misdirected(int status, String correlationId);

  /** Our own failure, in this dialect's words. */
  Reply crashed(String correlationId);

  /** The headers that may carry a correlation id; the first is the one answered with. */
  List<String> correlationHeaders();

  /** The headers that may carry an idempotency key. */
  List<String> idempotencyHeaders();

  /** What such a key means. */
  default OnceRules onceRules() {
    return new OnceRules.PerPath(name());
  }

  /** True when HEAD is answered as GET is, without the body; false: it is a wrong method. */
  default boolean answersHead() {
    return true;
  }

  /** True when a path with a slash at its end is sent on to the one without. */
  default boolean redirectsSlashes() {
    return false;
  }

  /**
   * Refuses whoever comes too often. Called once it is known who asks, if that can be known.
   *
   * @return headers of the answer, whatever it becomes
   */
  default Map<String, String> admit(Route route, Request request) {
    return Map.of();
  }

  /** A route was answered. For those who measure in words of their own. */
  default void answered(Route route, int status, Duration took) {}

  /** How a correlation id of our own is written. */
  default String correlationId(UUID fresh) {
    return fresh.toString();
  }

  /** True when a correlation id that is unfit for logs is refused; otherwise it is replaced. */
  default boolean refusesOddCorrelationId() {
    return true;
  }

  /** The first of these headers that is there. */
  static Optional<String> firstOf(Request request, List<String> headers) {
    return headers.stream().map(request::header).flatMap(Optional::stream).findFirst();
  }
}
