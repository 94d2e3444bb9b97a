package gpuaas.capacity;

import gpuaas.catalog.OfferKey;
import gpuaas.db.Database;
import gpuaas.spi.Offer;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The offers of all providers, for people who choose. */
public final class Catalog {

  private final Database database;

  public Catalog(Database database) {
    this.database = database;
  }

  /** One thing that can be had. */
  public record Listed(
      String id,
      Offer offer,
      long pricePerHourMicros,
      int gpuCount,
      int memoryGbPerGpu,
      double confidence,
      boolean available,
      boolean suppressed) {}

  public record Look(List<Listed> offers, Map<String, String> failures) {}

  /** What went wrong. */
  public enum Failure {
    STALE_INVENTORY,
    SSH_TIMEOUT,
    INSTANCE_STOPPED,
    INSTANCE_VANISHED,
    AUTH_FAILED,
    UNKNOWN
  }

  public record Health(List<OfferHealth> offers, List<GpuHealth> gpuTypes) {}

  public record OfferHealth(String id, String provider, String gpuModel, int recentFailures) {}

  public record GpuHealth(String provider, String gpuModel, int failedOffers) {}

  public Look list(Optional<String> provider) {
    List<Listed> all =
        database.read(tx -> NodeStore.rooms(tx)).stream()
            .filter(room -> provider.map(room.offer().provider()::equals).orElse(true))
            .map(room ->
                new Listed(
                    room.offer().provider() + "-" + room.offer().id(),
                    room.offer(),
                    room.offer().pricePerGpuHour().micros() * room.offer().gpuCount(),
                    room.offer().gpuCount(),
                    Math.round(room.offer().gpu().memoryMib() / 1024f),
                    1,
                    true,
                    false))
            .sorted(Comparator.comparingLong(Listed::pricePerHourMicros).thenComparing(Listed::id))
            .toList();
    return new Look(all, Map.of());
  }

  public Optional<Listed> find(String id) {
    return list(Optional.empty()).offers().stream().filter(one -> one.id().equals(id)).findFirst();
  }

  public void failed(OfferKey offer, String gpuModel, Failure why, String reason) {}

  public void worked(OfferKey offer) {}

  public Health health(Optional<String> provider, Optional<String> gpuModel) {
    return new Health(List.of(), List.of());
  }
}
