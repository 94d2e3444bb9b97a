package gpuaas.capacity;

import gpuaas.catalog.OfferKey;
import gpuaas.provider.Providers;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The offers of all providers, for people who choose. */
public final class Catalog {

  private final Providers providers;

  public Catalog(Providers providers) {
    this.providers = providers;
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
        providers.names().stream()
            .filter(name -> provider.map(name::equals).orElse(true))
            .flatMap(name -> providers.get(name).offers(OfferQuery.all()).stream())
            .map(offer ->
                new Listed(
                    offer.provider() + "-" + offer.id(),
                    offer,
                    offer.pricePerGpuHour().micros() * offer.gpuCount(),
                    offer.gpuCount(),
                    Math.round(offer.gpu().memoryMib() / 1024f),
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
