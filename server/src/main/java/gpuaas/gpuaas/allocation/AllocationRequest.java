package gpuaas.gpuaas.allocation;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.catalog.Sku;
import gpuaas.catalog.SkuStore;
import gpuaas.catalog.Want;
import gpuaas.db.Tx;
import gpuaas.http.Fields;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** What somebody asks an allocation to be. */
record AllocationRequest(
    String sku,
    int gpuCount,
    String region,
    List<UUID> sshKeys,
    String image,
    Optional<Duration> term,
    Guards guards) {

  private static final int KEYS_MOST = 50;
  private static final int IDLE_CPU_PERCENT = 5;
  private static final BigDecimal PRICE_MOST = BigDecimal.valueOf(1_000_000);

  /** Reads it; what is wrong is for {@link Fields#check} to say. */
  static AllocationRequest read(Fields fields) {
    return new AllocationRequest(
        fields.text("sku", 63),
        fields.integer("gpus_total", 1, 1024),
        fields.text("region_code", 63),
        fields.ids("ssh_key_ids", KEYS_MOST),
        fields.optionalText("image", 255, ""),
        fields.maybeInteger("duration_minutes", 1, 525_600).map(Duration::ofMinutes),
        guards(fields));
  }

  /** The lease that is asked for; refuses what the catalogue does not have. */
  LeaseSpec spec(Tx tx) {
    Sku known =
        tx.recall(List.of("sku", sku), own -> SkuStore.find(own, sku))
            .orElseThrow(
                () -> new Refused(Refusal.Invalid.field("sku", "is not in the catalogue")));
    if (!known.allowedGpuCounts().contains(gpuCount)) {
      String allowed =
          "it comes with "
              + known.allowedGpuCounts().toString().replaceAll("[\\[\\]]", "")
              + " GPUs";
      throw new Refused(new Refusal.NeverFits(sku, allowed));
    }
    Want want =
        new Want(sku, known.gpuModel(), gpuCount, Optional.of(new Region(region)), Tier.ON_DEMAND);
    return new LeaseSpec(
        want, image, sshKeys, Map.of(), term, LeaseSpec.WhenFull.QUEUE, Duration.ZERO, guards);
  }

  private static Guards guards(Fields fields) {
    Optional<Long> priceMost =
        fields
            .maybeNumber("max_price_per_hour", PRICE_MOST)
            .map(dollars ->
                dollars.movePointRight(6).setScale(0, RoundingMode.FLOOR).longValueExact());
    Optional<Integer> idleMinutes = fields.maybeInteger("idle_stop_minutes", 1, 10_080);
    Optional<Integer> idlePercent = fields.maybeInteger("idle_cpu_percent", 1, 100);
    if (idlePercent.isPresent() && idleMinutes.isEmpty()) {
      fields.problem("idle_cpu_percent", "is only for use with idle_stop_minutes", 0);
    }
    return new Guards(
        priceMost,
        idleMinutes.map(minutes ->
            new Guards.Idle(Duration.ofMinutes(minutes), idlePercent.orElse(IDLE_CPU_PERCENT))));
  }
}
