package gpuaas.capacity;

import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A market that has offers and nothing else; it can be away, and slow. */
final class TestMarket implements Provider {

  final AtomicInteger calls = new AtomicInteger();
  volatile List<Offer> offers = List.of();
  volatile boolean away;
  volatile CountDownLatch open = new CountDownLatch(0);
  private final InstantSource clock;

  TestMarket(InstantSource clock) {
    this.clock = clock;
  }

  @Override
  public List<Offer> offers(OfferQuery query) {
    calls.incrementAndGet();
    if (!query.equals(OfferQuery.all())) {
      throw new IllegalArgumentException("somebody's filter came this far: " + query);
    }
    try {
      open.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (away) {
      throw new ProviderException.Unavailable("secret details of the network", null);
    }
    return offers.stream().map(offer -> offer.withSeenAt(clock.instant())).toList();
  }

  @Override
  public InstanceRef create(InstanceRequest request) {
    throw new ProviderException.NoCapacity("nothing is rented here");
  }

  @Override
  public Optional<InstanceStatus> inspect(InstanceRef instance) {
    return Optional.empty();
  }

  @Override
  public void destroy(InstanceRef instance) {}

  @Override
  public List<Owned> list(String deployment) {
    return List.of();
  }

  @Override
  public void close() {}
}
