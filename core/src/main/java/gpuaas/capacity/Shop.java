package gpuaas.capacity;

import gpuaas.capacity.Catalog.Listed;
import gpuaas.capacity.Known.Heard;
import gpuaas.catalog.GpuType;
import gpuaas.catalog.OfferKey;
import gpuaas.catalog.Want;
import gpuaas.spi.Gpu;
import gpuaas.spi.Offer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The whole catalogue at one moment. Immutable, so that any number of readers share it.
 *
 * @param heard what it was made from, by provider
 * @param oldest when the oldest of its offers was seen
 * @param shown what can be had now, best first
 * @param byProvider the same by provider
 * @param byId everything, also what is hidden or taken
 */
record Shop(
    Map<String, Heard> heard,
    Ground ground,
    Instant madeAt,
    Instant oldest,
    List<Listed> shown,
    Map<String, List<Listed>> byProvider,
    Map<String, Listed> byId) {

  private static final List<Integer> COUNTS = List.of(1, 2, 4, 8);

  private static final Comparator<Listed> BEST_FIRST =
      Comparator.comparingDouble(Listed::confidence)
          .reversed()
          .thenComparingLong(Listed::pricePerHourMicros)
          .thenComparing(Listed::id);

  /**
   * Makes it.
   *
   * @param owners providers of our own machines, which are divided
   */
  static Shop of(
      Map<String, Heard> heard,
      Set<String> owners,
      Ground ground,
      OfferHealth health,
      Instant now) {
    Maker maker = new Maker(ground, health, now);
    Instant oldest = now;
    Map<String, Listed> byId = new HashMap<>();
    for (Map.Entry<String, Heard> entry : heard.entrySet()) {
      boolean own = owners.contains(entry.getKey());
      for (Offer offer : entry.getValue().offers()) {
        if (Gpu.isCpuPlace(offer.gpu().model())) {
          continue; // people choose among GPUs here
        }
        oldest = offer.seenAt().isBefore(oldest) ? offer.seenAt() : oldest;
        for (Listed listed : own ? maker.own(offer) : List.of(maker.rented(offer))) {
          byId.putIfAbsent(listed.id(), listed);
        }
      }
    }
    List<Listed> shown =
        byId.values().stream()
            .filter(listed -> listed.available() && !listed.suppressed())
            .sorted(BEST_FIRST)
            .toList();
    return new Shop(
        Map.copyOf(heard),
        ground,
        now,
        oldest,
        shown,
        shown.stream().collect(Collectors.groupingBy(listed -> listed.offer().provider())),
        byId);
  }

  /** The same, found to be as true later. */
  Shop still(Instant now) {
    return new Shop(heard, ground, now, oldest, shown, byProvider, byId);
  }

  /** Makes what is listed, one by one. */
  private static final class Maker {

    private final Ground ground;
    private final OfferHealth health;
    private final Instant now;
    private final Map<OfferKey, Integer> largestFree = new HashMap<>();
    private final Map<String, GpuType> types;

    Maker(Ground ground, OfferHealth health, Instant now) {
      this.ground = ground;
      this.health = health;
      this.now = now;
      this.types =
          ground.types().stream().collect(Collectors.toMap(GpuType::model, Function.identity()));
      ground
          .own()
          .forEach(room ->
              largestFree.merge(OfferKey.of(room.offer()), room.freeGpuIds().size(), Math::max));
    }

    Listed rented(Offer offer) {
      long price = offer.pricePerGpuHour().times(offer.gpuCount()).micros();
      return listed(Catalog.id(OfferKey.of(offer)), offer, price, true);
    }

    /** One for each count that one machine could give. */
    List<Listed> own(Offer offer) {
      OfferKey key = OfferKey.of(offer);
      int free = largestFree.getOrDefault(key, 0);
      List<Listed> all = new ArrayList<>();
      for (int count : COUNTS) {
        if (count <= offer.gpuCountMost()) {
          String id = Catalog.id(key) + (count == 1 ? "" : "-x" + count);
          all.add(listed(id, offer.withGpuCount(count), price(offer, count), count <= free));
        }
      }
      return all;
    }

    private long price(Offer offer, int count) {
      Want want =
          new Want("", offer.gpu().model(), count, Optional.of(offer.region()), offer.tier());
      long each = ground.prices().find(want, now).orElse(offer.pricePerGpuHour().micros());
      return Math.multiplyExact(each, count);
    }

    private Listed listed(String id, Offer offer, long pricePerHourMicros, boolean available) {
      return new Listed(
          id,
          offer,
          pricePerHourMicros,
          offer.gpuCount(),
          GpuType.memoryGb(
              offer.gpu().memoryMib(), Optional.ofNullable(types.get(offer.gpu().model()))),
          health.confidence(offer),
          available,
          health.suppression(OfferKey.of(offer)).isPresent());
    }
  }
}
