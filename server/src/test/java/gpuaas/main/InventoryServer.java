package gpuaas.main;

import gpuaas.db.Database;
import gpuaas.provider.Providers;
import gpuaas.spi.Assurance;
import gpuaas.spi.Gpu;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Money;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import gpuaas.spi.Region;
import gpuaas.spi.Resources;
import gpuaas.spi.Tier;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** The whole server over two markets that have many offers and rent none, for a bench. */
public final class InventoryServer implements AutoCloseable {

  private final Wiring.Running running;
  private final Map<String, Market> markets;

  private InventoryServer(Wiring.Running running, Map<String, Market> markets) {
    this.running = running;
    this.markets = markets;
  }

  /** Makes it, serving; nothing was asked of the markets yet. */
  public static InventoryServer start(Path data, Database database, int offers) throws IOException {
    Settings settings =
        Settings.load(
            Map.of(
                "GPUAAS_DATA", data.toString(),
                "GPUAAS_API_PORT", "0",
                "GPUAAS_IDP_PORT", "0",
                "GPUAAS_SSH_PORT", "0",
                "GPUAAS_GPUAI_PORT", "0",
                "GPUAAS_GPUDEV_PORT", "0",
                "GPUAAS_PROXY_PORT", "0",
                "GPUAAS_SHOPPER_PORT", "0"));
    Map<String, Market> markets = new LinkedHashMap<>();
    for (String name : List.of("vastai", "tensordock")) {
      markets.put(name, new Market(name, offers / 2));
    }
    Wiring.Running running =
        Wiring.open(
            settings,
            database,
            (_, _, _, _) -> new Providers(new LinkedHashMap<>(markets)),
            Main.CLOCK);
    return new InventoryServer(running, markets);
  }

  /** From here on the background loops run. */
  public void work() {
    running.loops().start();
  }

  /** Of the listener with the inventory. */
  public int port() {
    return running.listeners().shopper().port();
  }

  /** How often each market was asked for its offers. */
  public Map<String, Integer> calls() {
    Map<String, Integer> calls = new LinkedHashMap<>();
    markets.forEach((name, market) -> calls.put(name, market.calls.get()));
    return calls;
  }

  @Override
  public void close() {
    running.closeListeners();
    running.loops().close();
    running.workLoop().close();
    running.gateway().close();
    running.database().close();
  }

  /** A market that answers after a while, always with as many offers. */
  private static final class Market implements Provider {

    private static final Duration ANSWERS_AFTER = Duration.ofMillis(300);
    private static final List<Gpu> MODELS =
        List.of(
            Gpu.called("RTX 4090", 24_564),
            Gpu.called("RTX 3090", 24_576),
            Gpu.called("H100", 81_559),
            Gpu.called("A100", 81_920),
            Gpu.called("L40S", 46_068));

    private final AtomicInteger calls = new AtomicInteger();
    private final String name;
    private final int count;

    Market(String name, int count) {
      this.name = name;
      this.count = count;
    }

    @Override
    public List<Offer> offers(OfferQuery query) {
      calls.incrementAndGet();
      LockSupport.parkNanos(ANSWERS_AFTER.toNanos());
      Instant now = Main.CLOCK.instant();
      List<Offer> offers = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        offers.add(offer(i, now));
      }
      return offers;
    }

    private Offer offer(int number, Instant now) {
      int gpus = 1 << (number % 4);
      return new Offer(
          Integer.toString(number),
          name,
          new Region("us-" + number % 20),
          MODELS.get(number % MODELS.size()),
          gpus,
          gpus,
          Tier.ON_DEMAND,
          new Money(200_000 + (number * 7919L) % 3_000_000, "USD"),
          new Resources(8000, 32 * 1024, 50 * 1024),
          new Assurance(Assurance.Isolation.MACHINE, Set.of(), Assurance.GpuMode.SIMULATED),
          now,
          new Offer.Facts(
              "California, US",
              Optional.of(new BigDecimal("0.95").add(BigDecimal.valueOf(number % 50, 3))),
              Optional.of(new BigDecimal("0.60").add(BigDecimal.valueOf(number % 400, 3))),
              Optional.of(new BigDecimal("12.6")),
              "machine-" + number,
              Optional.empty(),
              Optional.empty(),
              Optional.empty()));
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
}
