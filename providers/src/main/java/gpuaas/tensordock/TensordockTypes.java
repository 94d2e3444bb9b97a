package gpuaas.tensordock;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.market.Machine;
import gpuaas.market.Machine.Phase;
import gpuaas.market.MarketGpus;
import gpuaas.market.MarketPlace;
import gpuaas.spi.Assurance;
import gpuaas.spi.Endpoint;
import gpuaas.spi.Money;
import gpuaas.spi.Offer;
import gpuaas.spi.Region;
import gpuaas.spi.Resources;
import gpuaas.spi.Tier;
import gpuaas.spi.market.HasPublicPorts.PublicPort;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the market says, read with care, in our words. */
final class TensordockTypes {

  static final String MACHINE = "[A-Za-z0-9-]{1,64}";
  static final int SSH_PORT = 22;
  static final int GPUS_MOST = 8;

  private static final Pattern PLACE = Pattern.compile(TensordockOffer.PLACE);
  private static final Pattern SLUG = Pattern.compile(TensordockOffer.SLUG);
  private static final Pattern MEMORY =
      Pattern.compile("([0-9]{1,4}) ?gb", Pattern.CASE_INSENSITIVE);
  private static final int MIB_PER_GB = 1024;
  static final int PORT_MOST = 65_535;

  private static final BigDecimal TIER_BEST = BigDecimal.valueOf(3);
  private static final BigDecimal HOURS_A_MONTH = BigDecimal.valueOf(720);

  /** What it lists is often gone. */
  private static final BigDecimal CONFIDENCE = new BigDecimal("0.3");

  private final TensordockSettings settings;

  TensordockTypes(TensordockSettings settings) {
    this.settings = settings;
  }

  /**
   * The offers of one place: as many of each kind as it has left, whole, in counts of 1, 2, 4, 8.
   * Each count is an offer of its own, since the disk is paid for once.
   */
  List<Offer> offers(JsonNode location, String provider, Instant now) {
    String place = location.path("id").asText("");
    List<Offer> offers = new ArrayList<>();
    if (!PLACE.matcher(place).matches()) {
      return offers;
    }
    for (JsonNode gpu : location.path("gpus")) {
      String slug = gpu.path("v0Name").asText("");
      int most = Math.min(GPUS_MOST, gpu.path("max_count").asInt());
      Optional<BigDecimal> price = price(gpu);
      if (!SLUG.matcher(slug).matches() || price.isEmpty()) {
        continue;
      }
      for (int count = 1; count <= most; count *= 2) {
        offers.add(offer(location, gpu, count, price.get(), provider, now));
      }
    }
    return offers;
  }

  private Offer offer(
      JsonNode location,
      JsonNode gpu,
      int count,
      BigDecimal gpuPrice,
      String provider,
      Instant now) {
    String slug = gpu.path("v0Name").asText();
    String name = gpu.path("displayName").asText(slug);
    return new Offer(
        new TensordockOffer(location.path("id").asText(), slug, count).id(),
        provider,
        region(location),
        MarketGpus.gpu(name.replaceFirst("(?i)geforcertx", "RTX "), memoryMib(name, slug)),
        count,
        count,
        Tier.ON_DEMAND,
        new Money(Math.ceilDiv(micros(gpu, gpuPrice, count), count), "USD"),
        new Resources(
            settings.processorsPerGpu() * 1000,
            settings.memoryGbPerGpu() * MIB_PER_GB,
            settings.diskGb() * MIB_PER_GB / count),
        // A virtual machine of its own; what its host does was not proved by us.
        new Assurance(
            Assurance.Isolation.MACHINE,
            Set.of(),
            settings.simulated() ? Assurance.GpuMode.SIMULATED : Assurance.GpuMode.PASSTHROUGH),
        now,
        facts(location, gpu));
  }

  private static Offer.Facts facts(JsonNode location, JsonNode gpu) {
    JsonNode tier = location.path("tier");
    JsonNode disk = gpu.path("pricing").path("per_gb_storage_hr");
    return new Offer.Facts(
        MarketPlace.clean(
            List.of(
                location.path("city").asText(""),
                location.path("stateprovince").asText(""),
                location.path("country").asText(""))),
        tier.isNumber() && tier.decimalValue().signum() > 0
            ? Optional.of(
                tier.decimalValue().divide(TIER_BEST, 3, RoundingMode.HALF_UP).min(BigDecimal.ONE))
            : Optional.empty(),
        Optional.of(CONFIDENCE),
        Optional.empty(),
        "",
        Optional.empty(),
        Optional.empty(),
        disk.isNumber() && disk.decimalValue().signum() > 0
            ? Optional.of(
                new Money(MarketGpus.micros(disk.decimalValue().multiply(HOURS_A_MONTH)), "USD"))
            : Optional.empty());
  }

  private static Optional<BigDecimal> price(JsonNode gpu) {
    JsonNode price = gpu.path("price_per_hr");
    return price.isNumber() ? Optional.of(price.decimalValue()) : Optional.empty();
  }

  /** Processors, memory and disk are paid for beside the GPUs. */
  private long micros(JsonNode gpu, BigDecimal gpuPrice, int count) {
    JsonNode pricing = gpu.path("pricing");
    BigDecimal perCount =
        gpuPrice
            .add(part(pricing, "per_vcpu_hr", settings.processorsPerGpu()))
            .add(part(pricing, "per_gb_ram_hr", settings.memoryGbPerGpu()));
    return MarketGpus.micros(
        perCount
            .multiply(BigDecimal.valueOf(count))
            .add(part(pricing, "per_gb_storage_hr", settings.diskGb())));
  }

  private static BigDecimal part(JsonNode pricing, String name, int amount) {
    return pricing.path(name).isNumber()
        ? pricing.path(name).decimalValue().multiply(BigDecimal.valueOf(amount))
        : BigDecimal.ZERO;
  }

  private static int memoryMib(String name, String slug) {
    Matcher matcher = MEMORY.matcher(name + " " + slug);
    return matcher.find() ? Integer.parseInt(matcher.group(1)) * MIB_PER_GB : 0;
  }

  private Region region(JsonNode location) {
    if (settings.region().isPresent()) {
      return new Region(settings.region().get());
    }
    String words = location.path("country").asText("") + "-" + location.path("city").asText("");
    String slug =
        words.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-+|-+$", "");
    return new Region(slug.isEmpty() ? "unknown" : slug.substring(0, Math.min(60, slug.length())));
  }

  /** A machine, in any of the shapes that it is said in; empty: it is not one. */
  Optional<Machine> machine(JsonNode said) {
    JsonNode data = said.path("data").isObject() ? said.path("data") : said;
    String id = data.path("id").asText("");
    if (!id.matches(MACHINE)) {
      return Optional.empty();
    }
    JsonNode inner = data.path("attributes").isObject() ? data.path("attributes") : data;
    String status = inner.path("status").asText(data.path("status").asText(""));
    JsonNode rate = inner.path("rateHourly");
    return Optional.of(
        new Machine(
            id,
            inner.path("name").asText(data.path("name").asText("")),
            phase(status.toLowerCase(Locale.ROOT)),
            "status " + status,
            Optional.empty(),
            rate.isNumber()
                ? Optional.of(MarketGpus.micros(rate.decimalValue()))
                : Optional.empty(),
            ssh(inner),
            ports(inner),
            host(inner).filter(_ -> inner.path("portForwards").isEmpty()),
            Instant.EPOCH));
  }

  /** A machine that is being deleted is there until it is not: it may still cost. */
  private static Phase phase(String status) {
    return switch (status) {
      case "running" -> Phase.RUNNING;
      case "stopped", "stopping", "stoppeddisassociated", "error", "deleting" -> Phase.STOPPED;
      case "deleted" -> Phase.GONE;
      default -> Phase.STARTING;
    };
  }

  private static Optional<String> host(JsonNode inner) {
    return Optional.of(inner.path("ipAddress").asText("").strip())
        .filter(host -> host.matches("[A-Za-z0-9.:-]{1,253}") && !host.equals("0.0.0.0"));
  }

  /** An address of its own has every port as it is, unless the market forwards it from another. */
  private static Optional<Endpoint> ssh(JsonNode inner) {
    PublicPort forwarded = ports(inner).get(SSH_PORT);
    return host(inner)
        .map(host -> new Endpoint(host, forwarded == null ? SSH_PORT : forwarded.port(), "user"));
  }

  private static Map<Integer, PublicPort> ports(JsonNode inner) {
    Map<Integer, PublicPort> ports = new HashMap<>();
    Optional<String> host = host(inner);
    for (JsonNode forward : inner.path("portForwards")) {
      int inside = forward.path("internal_port").asInt();
      int outside = forward.path("external_port").asInt();
      if (host.isPresent() && inside > 0 && outside > 0 && outside <= PORT_MOST) {
        ports.put(inside, new PublicPort(host.get(), outside));
      }
    }
    return ports;
  }
}
