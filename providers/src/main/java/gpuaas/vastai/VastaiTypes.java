package gpuaas.vastai;

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
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What the market says, read with care, in our words. */
final class VastaiTypes {

  private static final int GPUS_MOST = 64;
  private static final int PORT_MOST = 65_535;
  private static final int SSH_PORT = 22;
  private static final int WHY_MOST = 200;
  private static final int DIGITS_MOST = 40;
  private static final BigDecimal OF_RELIABILITY = new BigDecimal("0.6");
  private static final BigDecimal OF_BID = new BigDecimal("0.4");

  /** Whoever says that a machine is there for longer than a century has not said how long. */
  private static final BigDecimal SECONDS_MOST = BigDecimal.valueOf(3_153_600_000L);

  private final VastaiSettings settings;

  VastaiTypes(VastaiSettings settings) {
    this.settings = settings;
  }

  /** An offer; empty: it is not one that can be taken, or not understood. */
  Optional<Offer> offer(JsonNode offer, String provider, Instant now) {
    int gpus = offer.path("num_gpus").asInt();
    int memoryMib = offer.path("gpu_ram").asInt();
    boolean whole =
        offer.path("id").canConvertToLong()
            && offer.path("dph_total").isNumber()
            && gpus >= 1
            && gpus <= GPUS_MOST
            && memoryMib > 0
            && offer.path("dph_total").decimalValue().signum() >= 0
            && offer.path("rentable").asBoolean(true)
            && !offer.path("is_bid").asBoolean(false)
            && isGoodEnough(offer)
            && !offer.path("rented").asBoolean(false);
    if (!whole) {
      return Optional.empty();
    }
    long micros = MarketGpus.micros(offer.path("dph_total").decimalValue());
    double processors = offer.path("cpu_cores_effective").asDouble(1);
    return Optional.of(
        new Offer(
            Long.toString(offer.path("id").asLong()),
            provider,
            region(offer.path("geolocation").asText("")),
            MarketGpus.gpu(offer.path("gpu_name").asText(""), memoryMib),
            gpus,
            gpus,
            Tier.ON_DEMAND,
            new Money(Math.ceilDiv(micros, gpus), "USD"),
            new Resources(
                (int) (Math.min(10_000, processors) * 1000 / gpus),
                offer.path("cpu_ram").asInt() / gpus,
                settings.diskGb() * 1024 / gpus),
            // Containers on strangers' machines: nothing of it was proved by us.
            new Assurance(
                Assurance.Isolation.BASIC,
                Set.of(),
                settings.simulated() ? Assurance.GpuMode.SIMULATED : Assurance.GpuMode.PASSTHROUGH),
            now,
            facts(offer, now)));
  }

  /** What was asked for in the search, looked at again; what is not told is not held against it. */
  private boolean isGoodEnough(JsonNode offer) {
    boolean verified =
        offer.path("verified").asBoolean(true)
            && List.of("verified", "").contains(offer.path("verification").asText(""));
    boolean reliable =
        decimal(offer, "reliability2")
            .map(value -> value.compareTo(settings.leastReliability()) >= 0)
            .orElse(true);
    boolean roomy = offer.path("disk_space").asDouble(Double.MAX_VALUE) >= settings.diskGb();
    return (verified || !settings.verifiedOnly()) && reliable && roomy;
  }

  private static Offer.Facts facts(JsonNode offer, Instant now) {
    Optional<BigDecimal> reliability =
        decimal(offer, "reliability2")
            .or(() -> decimal(offer, "reliability"))
            .map(BigDecimal.ONE::min);
    Optional<BigDecimal> bid = decimal(offer, "min_bid");
    BigDecimal safety =
        bid.flatMap(least -> decimal(offer, "dph_total").map(all -> share(least, all)))
            .orElse(BigDecimal.ONE);
    return new Offer.Facts(
        MarketPlace.clean(List.of(offer.path("geolocation").asText("").split(",", 4))),
        reliability,
        reliability.map(value ->
            value
                .multiply(OF_RELIABILITY)
                .add(safety.multiply(OF_BID))
                .setScale(3, RoundingMode.HALF_UP)),
        decimal(offer, "cuda_max_good"),
        offer.path("machine_id").canConvertToLong()
            ? "vastai-machine-" + offer.path("machine_id").asLong()
            : "",
        bid.map(least -> new Money(MarketGpus.micros(least), "USD")),
        decimal(offer, "duration")
            .filter(seconds -> seconds.compareTo(SECONDS_MOST) < 0)
            .map(seconds -> now.plusSeconds(seconds.longValue())),
        decimal(offer, "storage_cost").map(cost -> new Money(MarketGpus.micros(cost), "USD")));
  }

  /** A number above 0; what is none, or not above 0, is not told. */
  private static Optional<BigDecimal> decimal(JsonNode node, String field) {
    JsonNode value = node.path(field);
    return value.isNumber()
            && value.decimalValue().signum() > 0
            && Math.abs((long) value.decimalValue().scale()) <= DIGITS_MOST
        ? Optional.of(value.decimalValue())
        : Optional.empty();
  }

  private static BigDecimal share(BigDecimal part, BigDecimal all) {
    return part.divide(all, 6, RoundingMode.HALF_UP).min(BigDecimal.ONE);
  }

  /** {@code California, US} is {@code us-california}; what is not said is {@code unknown}. */
  private Region region(String place) {
    if (settings.region().isPresent()) {
      return new Region(settings.region().get());
    }
    String[] parts = place.split(",", 2);
    String land = parts.length == 2 ? slug(parts[1]) : "";
    String part = slug(parts[0]);
    String both = land.isEmpty() || part.isEmpty() ? land + part : land + "-" + part;
    return new Region(both.isEmpty() ? "unknown" : both);
  }

  private static String slug(String words) {
    String slug = words.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    String trimmed = slug.replaceAll("^-+|-+$", "");
    return trimmed.length() <= 30 ? trimmed : trimmed.substring(0, 30);
  }

  /** A machine; empty: what was said is not one. */
  Optional<Machine> machine(JsonNode instance) {
    if (!instance.isObject() || !instance.path("id").canConvertToLong()) {
      return Optional.empty();
    }
    JsonNode price = instance.path("dph_total");
    JsonNode gpus = instance.path("num_gpus");
    return Optional.of(
        new Machine(
            Long.toString(instance.path("id").asLong()),
            instance.path("label").asText(""),
            phase(instance),
            why(instance),
            gpus.isNumber() ? Optional.of(gpus.asInt()) : Optional.empty(),
            price.isNumber()
                ? Optional.of(MarketGpus.micros(price.decimalValue()))
                : Optional.empty(),
            ssh(instance),
            ports(instance),
            Optional.empty(),
            Instant.ofEpochSecond(instance.path("start_date").asLong())));
  }

  /**
   * Stopped, exited and frozen machines cost on and do nothing. Unknown and offline are what the
   * market says when it does not hear from a machine, which may still run.
   */
  private static Phase phase(JsonNode instance) {
    boolean toldToStop = instance.path("intended_status").asText("").equals("stopped");
    String message = instance.path("status_msg").asText("");
    return switch (instance.path("actual_status").asText("").toLowerCase(Locale.ROOT)) {
      case "running" -> toldToStop ? Phase.STOPPED : Phase.RUNNING;
      case "stopped", "exited", "frozen" -> Phase.STOPPED;
      case "unknown", "offline" -> Phase.SILENT;
      case "created", "loading" ->
          toldToStop || message.contains("create failed") || message.startsWith("Error")
              ? Phase.STOPPED
              : Phase.STARTING;
      default -> toldToStop || message.contains("create failed") ? Phase.STOPPED : Phase.STARTING;
    };
  }

  private static String why(JsonNode instance) {
    String text =
        instance.path("actual_status").asText("")
            + ": "
            + instance.path("status_msg").asText("").replaceAll("\\p{Cntrl}+", " ");
    return text.length() <= WHY_MOST ? text : text.substring(0, WHY_MOST);
  }

  private Optional<Endpoint> ssh(JsonNode instance) {
    Optional<Endpoint> direct =
        Optional.ofNullable(ports(instance).get(SSH_PORT))
            .flatMap(port -> endpoint(port.host(), port.port()));
    Optional<Endpoint> proxy =
        endpoint(instance.path("ssh_host").asText("").strip(), instance.path("ssh_port").asInt());
    return settings.direct() ? direct.or(() -> proxy) : proxy;
  }

  /** {@code {"8000/tcp":[{"HostPort":"33526"}]}}; in any other shape nothing is told. */
  private static Map<Integer, PublicPort> ports(JsonNode instance) {
    Map<Integer, PublicPort> ports = new HashMap<>();
    String host = instance.path("public_ipaddr").asText("").strip();
    instance
        .path("ports")
        .properties()
        .forEach(entry -> {
          String inside = entry.getKey().replaceFirst("/tcp$", "");
          int outside = entry.getValue().path(0).path("HostPort").asInt();
          if (inside.matches("[0-9]{1,5}") && endpoint(host, outside).isPresent()) {
            ports.put(Integer.valueOf(inside), new PublicPort(host, outside));
          }
        });
    return ports;
  }

  private static Optional<Endpoint> endpoint(String host, int port) {
    return host.matches("[A-Za-z0-9.:-]{1,253}") && port > 0 && port <= PORT_MOST
        ? Optional.of(new Endpoint(host, port, "root"))
        : Optional.empty();
  }
}
