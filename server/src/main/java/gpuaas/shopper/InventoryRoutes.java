package gpuaas.shopper;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.base.Action;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.capacity.Catalog;
import gpuaas.capacity.Catalog.Listed;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.provider.Providers;
import gpuaas.spi.ProviderException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What can be had: the offers of all providers, and how well they did lately. */
final class InventoryRoutes {

  private static final String PATH = "/api/v1/inventory";

  private final Catalog catalog;
  private final Providers providers;
  private final Templates templates;
  private final InstantSource clock;

  InventoryRoutes(Catalog catalog, Providers providers, Templates templates, InstantSource clock) {
    this.catalog = catalog;
    this.providers = providers;
    this.templates = templates;
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(
        Route.get(PATH, this::list).needing(Action.CATALOG_READ),
        Route.get(PATH + "/{id}", this::get).needing(Action.CATALOG_READ),
        Route.get(PATH + "/{id}/compatible-templates", this::compatibleTemplates)
            .needing(Action.CATALOG_READ),
        Route.get("/api/v1/offer-health", this::health).needing(Action.CATALOG_READ));
  }

  private record Page(List<OfferView> offers, int count, int total) {}

  private Reply list(Request request) {
    InventoryFilter asked = InventoryFilter.of(request, this::refuseUnknown);
    Optional<String> template = Queries.text(request, "template_hash_id");
    if (template.isPresent()) {
      Optional<Templates.Needs> needs;
      try {
        needs = templates.needs(template.get());
      } catch (Templates.None none) {
        throw new Refused(
            new Refusal.Unreadable(
                "template filtering requires Vast.ai provider: provider not found: vastai"));
      } catch (ProviderException couldNotAsk) {
        needs = Optional.empty();
      }
      if (needs.isEmpty()) {
        String text = "template not found: " + ShopperErrors.quoted(template.get());
        return ShopperErrors.error(404, text, request.correlationId());
      }
      asked = asked.atLeast(needs.get());
    }
    InventoryFilter filter = asked.paged(request);
    Catalog.Look look = catalog.list(filter.provider());
    if (look.offers().isEmpty() && !look.failures().isEmpty()) {
      return failed(filter, look, request);
    }
    List<Listed> found = look.offers().stream().filter(filter.matches()).toList();
    int from = Math.min(filter.offset(), found.size());
    int to = filter.limit() == 0 ? found.size() : Math.min(found.size(), from + filter.limit());
    Instant now = clock.instant();
    List<OfferView> page =
        found.subList(from, to).stream().map(listed -> OfferView.of(listed, now)).toList();
    return ShopperJson.reply(200, new Page(page, page.size(), found.size()));
  }

  private Reply failed(InventoryFilter filter, Catalog.Look look, Request request) {
    String all =
        new TreeMap<>(look.failures())
            .entrySet().stream()
                .map(failure -> failure.getKey() + ": " + failure.getValue())
                .collect(Collectors.joining("; "));
    boolean one = filter.provider().isPresent();
    if (!one && look.failures().size() < providers.names().size()) {
      return ShopperJson.reply(200, new Page(List.of(), 0, 0));
    }
    return ShopperErrors.error(
        500, one ? all : "all providers failed: " + all, request.correlationId());
  }

  private void refuseUnknown(String provider) {
    if (!providers.names().contains(provider)) {
      throw new Refused(
          new Refusal.Unreadable("provider not found: " + ShopperErrors.quoted(provider)));
    }
  }

  private Reply get(Request request) {
    return find(request)
        .map(listed -> ShopperJson.reply(200, OfferView.of(listed, clock.instant())))
        .orElseGet(() -> notFound(request));
  }

  private Optional<Listed> find(Request request) {
    return catalog.find(request.pathParameters().getOrDefault("id", ""));
  }

  private static Reply notFound(Request request) {
    String id = request.pathParameters().getOrDefault("id", "");
    return ShopperErrors.error(
        404, "offer not found: " + ShopperErrors.quoted(id), request.correlationId());
  }

  private record NoTemplates(
      List<TemplateRoutes.Brief> compatibleTemplates,
      int count,
      String offerId,
      String provider,
      String note) {}

  private record SomeTemplates(
      List<TemplateRoutes.Brief> compatibleTemplates,
      int count,
      String offerId,
      String gpuType,
      int vramGb) {}

  private Reply compatibleTemplates(Request request) {
    Optional<Listed> listed = find(request);
    if (listed.isEmpty()) {
      return notFound(request);
    }
    String provider = listed.get().offer().provider();
    if (!templates.has(provider)) {
      String note = "templates are only available for Vast.ai offers";
      return ShopperJson.reply(
          200, new NoTemplates(List.of(), 0, listed.get().id(), provider, note));
    }
    List<TemplateRoutes.Brief> found =
        templates.matching(listed.get().offer()).stream().map(TemplateRoutes.Brief::of).toList();
    return ShopperJson.reply(
        200,
        new SomeTemplates(
            found,
            found.size(),
            listed.get().id(),
            listed.get().offer().gpu().model(),
            listed.get().memoryGbPerGpu()));
  }

  private record HealthView(
      List<OfferHealthView> offers, List<GpuHealthView> gpuTypes, int count) {}

  private record OfferHealthView(
      String offerId,
      String provider,
      String gpuType,
      int recentFailures,
      boolean isSuppressed,
      Optional<Instant> suppressedAt,
      Optional<Instant> suppressedUntil,
      double confidenceMultiplier,
      Instant lastFailure,
      String lastFailureType,
      String lastFailureReason) {}

  private record GpuHealthView(
      String gpuTypeKey,
      int failedOfferCount,
      boolean isDegraded,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) double degradationApplied) {}

  private Reply health(Request request) {
    Catalog.Health health =
        catalog.health(Queries.text(request, "provider"), Queries.text(request, "gpu_type"));
    List<OfferHealthView> offers =
        health.offers().stream()
            .map(offer ->
                new OfferHealthView(
                    offer.id(),
                    offer.offer().provider(),
                    offer.gpuModel(),
                    offer.recentFailures(),
                    offer.suppressedUntil().isPresent(),
                    offer.suppressedAt(),
                    offer.suppressedUntil(),
                    offer.multiplier(),
                    offer.lastFailureAt(),
                    offer.lastFailure().name().toLowerCase(Locale.ROOT),
                    offer.lastReason()))
            .toList();
    List<GpuHealthView> gpuTypes =
        health.gpuTypes().stream()
            .map(gpu ->
                new GpuHealthView(
                    gpu.provider() + ":" + gpu.gpuModel(),
                    gpu.failedOffers(),
                    gpu.degraded(),
                    gpu.degraded() ? gpu.multiplier() : 0))
            .toList();
    return ShopperJson.reply(200, new HealthView(offers, gpuTypes, offers.size()));
  }
}
