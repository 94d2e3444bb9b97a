package gpuaas.gpuai;

import gpuaas.capacity.PriceList;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.spi.Tier;
import java.math.BigDecimal;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Prices, for everybody: of whole configurations, with how often each can be had now. */
final class PricingRoutes {

  private final String mount;
  private final PriceList prices;
  private final GpuTypes gpuTypes;
  private final Lists lists;

  PricingRoutes(String mount, PriceList prices, GpuTypes gpuTypes, Lists lists) {
    this.mount = mount;
    this.prices = prices;
    this.gpuTypes = gpuTypes;
    this.lists = lists;
  }

  List<Route> routes() {
    return List.of(Route.publicGet(mount + "/pricing", this::list));
  }

  private record PricingView(
      String gpuType,
      String region,
      String tier,
      BigDecimal pricePerHour,
      int available,
      int gpuCount,
      boolean instantBoot,
      boolean community,
      String capacityClass,
      String offeringId) {}

  private Reply list(Request request) {
    Optional<String> gpuType = request.query("gpu_type");
    Optional<String> region = request.query("region");
    Optional<Tier> tier = Lists.word(request, "tier", GpuaiViews::tier);
    boolean all = Lists.word(request, "include_unavailable", PricingRoutes::flag).orElse(false);
    List<PricingView> rows =
        prices.list().stream()
            .filter(row -> all || row.available() > 0)
            .filter(row -> tier.map(row.tier()::equals).orElse(true))
            .map(this::view)
            .filter(row -> gpuType.map(row.gpuType()::equals).orElse(true))
            .filter(row -> region.map(row.region()::equals).orElse(true))
            .sorted(Comparator.comparing(PricingRoutes::place))
            .toList();
    String filters = gpuType + " " + region + " " + tier + " " + all;
    return lists.pageOfAll(request, filters, rows, row -> row, PricingRoutes::place);
  }

  private static String place(PricingView row) {
    return String.format("%s %04d %s %s", row.gpuType(), row.gpuCount(), row.region(), row.tier());
  }

  private static Optional<Boolean> flag(String word) {
    return switch (word) {
      case "true" -> Optional.of(true);
      case "false" -> Optional.of(false);
      default -> Optional.empty();
    };
  }

  private PricingView view(PriceList.Row row) {
    String gpuType = gpuTypes.of(row.gpuModel()).name();
    return new PricingView(
        gpuType,
        row.region().code(),
        GpuaiViews.tier(row.tier()),
        GpuaiViews.dollars(row.pricePerHourMicros()),
        row.available(),
        row.gpuCount(),
        true,
        false,
        "secure",
        Offering.id(gpuType, row.gpuCount(), row.tier(), row.region()));
  }
}
