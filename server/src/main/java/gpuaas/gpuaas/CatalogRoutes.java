package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.capacity.Availability;
import gpuaas.capacity.RoomStore;
import gpuaas.catalog.PriceBook;
import gpuaas.catalog.PriceStore;
import gpuaas.catalog.Sku;
import gpuaas.catalog.SkuStore;
import gpuaas.catalog.Want;
import gpuaas.db.Database;
import gpuaas.gpuaas.allocation.AllocationViews;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.spi.Assurance;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The catalogue: what can be asked for, what it costs, and whether there is any. */
final class CatalogRoutes {

  private final Database database;
  private final InstantSource clock;

  CatalogRoutes(Database database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(Route.get("/api/v1/catalog", this::catalog).needing(Action.CATALOG_READ));
  }

  private record SkuView(
      String sku,
      String vendor,
      String displayName,
      String gpuModel,
      int gpusTotal,
      List<Integer> allowedGpuCounts,
      String capacityShape,
      long hourlyPriceMinor,
      long gpuHourlyPriceMinor,
      String currency,
      boolean available,
      int gpusFree,
      List<String> regionCodes,
      boolean simulated,
      Optional<AllocationViews.AssuranceView> assurance,
      Map<String, Object> resourceProfile) {}

  private record CatalogPage(List<SkuView> items) {}

  private Reply catalog(Request request) {
    request.caller().require(Action.CATALOG_READ);
    List<SkuView> items =
        database.read(tx -> {
          PriceBook prices = PriceStore.all(tx);
          return SkuStore.list(tx).stream()
              .map(sku -> view(sku, price(prices, sku), RoomStore.availability(tx, sku.gpuModel())))
              .toList();
        });
    return Reply.json(200, new CatalogPage(items));
  }

  /** What a GPU of it costs for an hour now, in the smallest number that there is. */
  private long price(PriceBook prices, Sku sku) {
    Want want = new Want(sku.sku(), sku.gpuModel(), fewest(sku), Optional.empty(), Tier.ON_DEMAND);
    return prices.find(want, clock.instant()).orElse(sku.pricePerGpuHourMicros());
  }

  private static int fewest(Sku sku) {
    return sku.allowedGpuCounts().stream().min(Integer::compare).orElse(1);
  }

  private static SkuView view(Sku sku, long priceMicros, Availability there) {
    int fewest = fewest(sku);
    boolean simulated =
        there.assurance().map(a -> a.gpuMode() == Assurance.GpuMode.SIMULATED).orElse(false);
    return new SkuView(
        sku.sku(),
        sku.vendor(),
        sku.displayName(),
        sku.gpuModel(),
        sku.gpusTotal(),
        sku.allowedGpuCounts(),
        sku.wholeMachine() ? "baremetal" : "gpu_slice",
        AllocationViews.priceMinor(priceMicros),
        AllocationViews.priceMinor(priceMicros),
        "USD",
        there.largestEver() >= fewest,
        there.gpusFree(),
        there.regions().stream().map(Region::code).toList(),
        simulated,
        there.assurance().map(AllocationViews.AssuranceView::of),
        sku.resourceProfile());
  }
}
