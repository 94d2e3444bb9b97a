package gpuaas.shopper;

import gpuaas.capacity.Catalog.Listed;
import gpuaas.http.Request;
import gpuaas.spi.Gpu;
import java.math.BigDecimal;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Which offers somebody wants to see, and which part of them. Looks at what we have; nothing of it
 * goes to a provider.
 *
 * @param cudaLeast offers that do not say what they can do never have it
 * @param limit 0: all of them
 */
record InventoryFilter(
    Optional<String> provider,
    Optional<String> gpuModel,
    Optional<String> location,
    int memoryGbLeast,
    Optional<BigDecimal> pricePerHourMost,
    int gpuCountLeast,
    Optional<BigDecimal> reliabilityLeast,
    Optional<BigDecimal> confidenceLeast,
    Optional<BigDecimal> cudaLeast,
    int limit,
    int offset) {

  /**
   * Reads the query, in the order of the documents.
   *
   * @param providerExists refuses a provider that there is not
   */
  static InventoryFilter of(Request request, Consumer<String> providerExists) {
    Optional<String> provider = Queries.text(request, "provider");
    provider.ifPresent(providerExists);
    int memory = Queries.count(request, "min_vram");
    Optional<BigDecimal> price = Queries.amount(request, "max_price");
    int alias = Queries.count(request, "gpu_count");
    int gpus =
        Queries.text(request, "min_gpu_count").isPresent()
            ? Queries.count(request, "min_gpu_count")
            : alias;
    return new InventoryFilter(
        provider,
        Queries.text(request, "gpu_type").map(name -> Gpu.called(name, 0).model()),
        Queries.text(request, "location").map(text -> text.toLowerCase(Locale.ROOT)),
        memory,
        price,
        gpus,
        Queries.share(request, "min_reliability"),
        Queries.share(request, "min_availability_confidence"),
        Queries.amount(request, "min_cuda"),
        0,
        0);
  }

  /** The same, for this part of what is found. */
  InventoryFilter paged(Request request) {
    return new InventoryFilter(
        provider,
        gpuModel,
        location,
        memoryGbLeast,
        pricePerHourMost,
        gpuCountLeast,
        reliabilityLeast,
        confidenceLeast,
        cudaLeast,
        Queries.positive(request, "limit"),
        Queries.count(request, "offset"));
  }

  /** The same for what a template needs. */
  InventoryFilter atLeast(Templates.Needs needs) {
    Optional<BigDecimal> moreCuda =
        Stream.of(needs.cuda(), cudaLeast).flatMap(Optional::stream).max(BigDecimal::compareTo);
    return new InventoryFilter(
        Optional.of(provider.orElse(needs.provider())),
        gpuModel,
        location,
        Math.max(memoryGbLeast, needs.memoryGb()),
        pricePerHourMost,
        gpuCountLeast,
        reliabilityLeast,
        confidenceLeast,
        moreCuda,
        limit,
        offset);
  }

  /** Whether an offer is one of those; what costs least to look at is looked at first. */
  Predicate<Listed> matches() {
    long priceMicros =
        pricePerHourMost
            .map(price -> price.movePointRight(6).min(BigDecimal.valueOf(Long.MAX_VALUE)))
            .map(BigDecimal::longValue)
            .orElse(Long.MAX_VALUE);
    double confidence = confidenceLeast.map(BigDecimal::doubleValue).orElse(0.0);
    Predicate<Listed> matches =
        listed ->
            listed.gpuCount() >= gpuCountLeast
                && listed.memoryGbPerGpu() >= memoryGbLeast
                && listed.pricePerHourMicros() <= priceMicros
                && listed.confidence() >= confidence;
    if (gpuModel.isPresent()) {
      String model = gpuModel.get();
      matches = matches.and(listed -> model.equalsIgnoreCase(listed.offer().gpu().model()));
    }
    if (reliabilityLeast.isPresent()) {
      BigDecimal least = reliabilityLeast.get();
      matches = matches.and(listed -> OfferView.reliability(listed.offer()).compareTo(least) >= 0);
    }
    if (cudaLeast.isPresent()) {
      BigDecimal least = cudaLeast.get();
      matches =
          matches.and(listed ->
              listed
                  .offer()
                  .facts()
                  .cudaVersion()
                  .filter(version -> version.compareTo(least) >= 0)
                  .isPresent());
    }
    if (location.isPresent()) {
      String part = location.get();
      matches =
          matches.and(
              listed -> OfferView.location(listed.offer()).toLowerCase(Locale.ROOT).contains(part));
    }
    return matches;
  }
}
