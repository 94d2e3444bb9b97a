package gpuaas.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.base.Standing;
import gpuaas.lease.Desk;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What leases have cost in a time, on a real database: exactly, whatever the time cuts. */
class CostStoreTest {

  private final Desk desk = new Desk(LedgerRules.standard(), 8); // a GPU costs 4 dollars an hour

  @AfterEach
  void close() {
    desk.close();
  }

  private UUID runs(int gpus) {
    UUID lease = desk.request(gpus, Tier.ON_DEMAND);
    desk.stepTo(lease, "running");
    return lease;
  }

  private Instant ready(UUID lease) {
    return desk.lease(lease).history().readyAt().orElseThrow();
  }

  private List<CostStore.Row> sums(UUID project, Optional<UUID> lease, Instant from, Instant to) {
    CostStore.Query query =
        new CostStore.Query(project, Optional.empty(), lease, from, to, desk.clock.instant());
    return desk.database.read(tx -> CostStore.sums(tx, query));
  }

  private CostStore.Row only(UUID lease, Instant from, Instant to) {
    List<CostStore.Row> rows = sums(Desk.OWNER, Optional.of(lease), from, to);
    assertThat(rows).hasSize(1);
    return rows.getFirst();
  }

  @Test
  void aTimeThatBeginsAndEndsInsideALeaseCostsItsOwnSeconds() {
    // Two GPUs, 8 dollars an hour: a second costs 2222.2 millionths, and cuts lose none of it.
    UUID lease = runs(2);
    Instant ready = ready(lease);
    desk.clock.advance(Duration.ofHours(3));
    desk.stop(lease);
    Instant end = desk.clock.instant();
    CostStore.Row hour = only(lease, ready.plusSeconds(1800), ready.plusSeconds(5400));
    assertThat(hour.costMicros()).isEqualTo(8_000_000);
    assertThat(hour.seconds()).as("of leases, not of GPUs").isEqualTo(3600);
    assertThat(hour.leases()).isEqualTo(1);
    long cut = 0;
    for (Instant from = ready; from.isBefore(end); from = from.plusSeconds(997)) {
      cut += only(lease, from, from.plusSeconds(997)).costMicros();
    }
    assertThat(cut).isEqualTo(desk.ledger.balance(Desk.caller(Standing.OWNER)).spentMicros());
    assertThat(sums(Desk.OWNER, Optional.of(lease), end, end.plusSeconds(60))).isEmpty();
    assertThat(sums(Desk.OWNER, Optional.of(lease), ready.minusSeconds(60), ready)).isEmpty();
  }

  @Test
  void aRunningLeaseCostsUpToNowAndNoFurther() {
    UUID lease = runs(1);
    Instant ready = ready(lease);
    desk.clock.advance(
        ready.plusSeconds(900).isAfter(desk.clock.instant())
            ? Duration.between(desk.clock.instant(), ready.plusSeconds(900))
            : Duration.ZERO);
    CostStore.Row row = only(lease, ready.minusSeconds(3600), ready.plus(Duration.ofDays(1)));
    assertThat(row.seconds()).isEqualTo(900);
    assertThat(row.costMicros()).isEqualTo(1_000_000);
  }

  @Test
  void leasesAreAddedUpByProviderAndTheGpusCount() {
    UUID here = runs(1);
    UUID alsoHere = runs(3);
    UUID there = runs(2);
    Instant from = ready(there);
    desk.clock.advance(Duration.ofHours(2));
    desk.database.run(tx ->
        tx.update("update lease set provider = 'other' where id = :lease")
            .bind("lease", there)
            .execute());
    List<CostStore.Row> rows =
        sums(Desk.OWNER, Optional.empty(), from, from.plus(Duration.ofHours(1)));
    assertThat(rows).extracting(CostStore.Row::provider).containsExactly("other", "sim");
    assertThat(rows).extracting(CostStore.Row::costMicros).containsExactly(8_000_000L, 16_000_000L);
    assertThat(rows).extracting(CostStore.Row::seconds).containsExactly(3600L, 7200L);
    assertThat(rows).extracting(CostStore.Row::leases).containsExactly(1, 2);
    assertThat(sums(new UUID(7, 7), Optional.empty(), from, from.plusSeconds(60)))
        .as("another project's costs are its own")
        .isEmpty();
    assertThat(only(here, from, from.plusSeconds(60)).costMicros()).isEqualTo(66_667);
    assertThat(only(alsoHere, from, from.plusSeconds(60)).costMicros()).isEqualTo(200_000);
  }
}
