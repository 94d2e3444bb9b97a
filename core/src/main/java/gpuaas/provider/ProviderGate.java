package gpuaas.provider;

import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Stands before a provider: so many calls at once, none longer than its limit. A call that ran out
 * of time has an unknown outcome; a call that never began surely did nothing.
 */
public final class ProviderGate implements Provider {

  private final Provider inner;
  private final Duration limit;
  private final Semaphore room;
  private final Watcher watcher;
  private final ExecutorService calls = Executors.newVirtualThreadPerTaskExecutor();

  /**
   * @param limit the longest a call may take; shorter than the settling time of leases
   * @param parallel how many calls at once
   */
  public ProviderGate(Provider inner, Duration limit, int parallel) {
    this(inner, limit, parallel, (_, _, _) -> {});
  }

  /**
   * @param limit the longest a call may take; shorter than the settling time of leases
   * @param parallel how many calls at once
   * @param watcher is told of each call that was made
   */
  public ProviderGate(Provider inner, Duration limit, int parallel, Watcher watcher) {
    this.watcher = watcher;
    this.inner = inner;
    this.limit = limit;
    this.room = new Semaphore(parallel, true);
  }

  /** Is told of calls to a provider. */
  @FunctionalInterface
  public interface Watcher {
    /**
     * A call was made.
     *
     * @param operation such as {@code CreateInstance}
     * @param worked false: it was refused, or nobody knows what came of it
     */
    void called(String operation, boolean worked, Duration took);
  }

  /** The provider behind the gate, for its optional abilities. */
  Provider inner() {
    return inner;
  }

  @Override
  public List<Offer> offers(OfferQuery query) {
    return call("ListOffers", () -> inner.offers(query));
  }

  @Override
  public InstanceRef create(InstanceRequest request) {
    return call("CreateInstance", () -> inner.create(request));
  }

  @Override
  public Optional<InstanceStatus> inspect(InstanceRef instance) {
    return call("GetInstanceStatus", () -> inner.inspect(instance));
  }

  @Override
  public void destroy(InstanceRef instance) {
    call(
        "DestroyInstance",
        () -> {
          inner.destroy(instance);
          return true;
        });
  }

  @Override
  public List<Owned> list(String deployment) {
    return call("ListAllInstances", () -> inner.list(deployment));
  }

  @Override
  public void close() {
    calls.shutdown();
    inner.close();
  }

  /** Makes any call under the limits. */
  <T> T call(String operation, Callable<T> work) {
    long start = System.nanoTime();
    boolean worked = false;
    try {
      T answer = call(work);
      worked = true;
      return answer;
    } finally {
      watcher.called(operation, worked, Duration.ofNanos(System.nanoTime() - start));
    }
  }

  private <T> T call(Callable<T> work) {
    boolean entered = false;
    try {
      entered = room.tryAcquire(limit.toMillis(), TimeUnit.MILLISECONDS);
      if (!entered) {
        throw new ProviderException.Unavailable(
            "too many calls were waiting before this one", null);
      }
      Future<T> answer = calls.submit(work);
      try {
        return answer.get(limit.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        answer.cancel(true);
        throw new ProviderException.OutcomeUnknown("no answer within " + limit, e);
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ProviderException known) {
        throw known;
      }
      throw new ProviderException.OutcomeUnknown(
          "the provider failed: " + e.getCause(), e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProviderException.OutcomeUnknown("interrupted while calling", e);
    } finally {
      if (entered) {
        room.release();
      }
    }
  }
}
