package gpuaas.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.base.Standing;
import gpuaas.catalog.Price;
import gpuaas.catalog.PriceStore;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.ledger.Evidence;
import gpuaas.ledger.Hold;
import gpuaas.ledger.HoldStore;
import gpuaas.ledger.LedgerRules;
import gpuaas.ledger.LedgerStore;
import gpuaas.ledger.Usage;
import gpuaas.ledger.UsageStore;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What leases cost, on a real database, when meters race, prices change and clocks jump. */
class LeaseMoneyTest {

  private final Desk desk = new Desk(LedgerRules.standard(), 8);

  @AfterEach
  void close() {
    List<String> differences = desk.database.read(LedgerStore::differences);
    desk.close();
    assertThat(differences).isEmpty();
  }

  private Hold hold(UUID lease) {
    return desk.database.read(tx -> HoldStore.find(tx, lease)).orElseThrow();
  }

  private List<Usage> usage(UUID lease) {
    return desk.database.read(tx -> UsageStore.ofLease(tx, lease));
  }

  @Test
  void fromTheShellThatAnsweredToTheWishToStopAndEachRowSaysWhy() {
    UUID id = desk.request(2, Tier.ON_DEMAND);
    desk.stepTo(id, "running");
    Instant ready = hold(id).startedAt().orElseThrow();
    desk.clock.advance(Duration.ofMinutes(3));
    desk.step(id);
    desk.clock.advance(Duration.ofSeconds(7));
    desk.stop(id);
    desk.stepTo(id, "ended");
    List<Usage> usage = usage(id);
    assertThat(usage.getFirst().from()).isEqualTo(ready);
    assertThat(usage.getFirst().start().proof()).isEqualTo(Evidence.Proof.SSH_ANSWERED);
    assertThat(usage.getLast().end().proof()).isEqualTo(Evidence.Proof.STOP_ASKED);
    assertThat(usage.getLast().end().reference()).isEqualTo("asked trace-7");
    long seconds = Duration.between(ready, usage.getLast().to()).toSeconds();
    assertThat(hold(id).costMicros()).isEqualTo(Usage.cost(seconds, 2, 4_000_000));
    assertThat(hold(id).heldMicros()).isZero();
  }

  @Test
  void manyMetersAtOnceChargeEachSecondOnce() throws Exception {
    UUID id = desk.request(1, Tier.ON_DEMAND);
    desk.stepTo(id, "running");
    for (int round = 0; round < 5; round++) {
      desk.clock.advance(Duration.ofMinutes(2));
      List<Future<?>> meters = new ArrayList<>();
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        for (int i = 0; i < 6; i++) {
          meters.add(threads.submit(() -> desk.step(id)));
        }
      }
      for (Future<?> meter : meters) {
        meter.get();
      }
    }
    List<Usage> usage = usage(id);
    assertThat(usage).hasSize(5);
    long whole = Duration.between(usage.getFirst().from(), usage.getLast().to()).toSeconds();
    assertThat(usage.stream().mapToLong(Usage::seconds).sum()).isEqualTo(whole);
    assertThat(hold(id).costMicros()).isEqualTo(Usage.cost(whole, 1, 4_000_000));
  }

  @Test
  void aPriceThatChangesInTheMiddleChangesNothingForWhoWasAccepted() {
    UUID before = desk.request(1, Tier.ON_DEMAND);
    Price dearer =
        new Price(
            Optional.empty(),
            Desk.MODEL,
            Optional.empty(),
            Tier.ON_DEMAND,
            1,
            9_000_000,
            desk.clock.instant());
    desk.database.run(tx -> PriceStore.put(tx, dearer));
    UUID after = desk.request(1, Tier.ON_DEMAND);
    assertThat(hold(before).heldMicros()).isEqualTo(4_000_000);
    assertThat(hold(after).heldMicros()).isEqualTo(9_000_000);
    desk.stepTo(before, "running");
    desk.clock.advance(Duration.ofHours(1));
    desk.step(before);
    desk.stop(before);
    long seconds = usage(before).stream().mapToLong(Usage::seconds).sum();
    assertThat(hold(before).costMicros()).isEqualTo(Usage.cost(seconds, 1, 4_000_000));
  }

  @Test
  void aClockThatGoesBackAnHourChargesNothingTwiceAndLeavesNoGap() {
    UUID id = desk.request(1, Tier.ON_DEMAND);
    desk.stepTo(id, "running");
    Instant ready = hold(id).startedAt().orElseThrow();
    desk.clock.advance(Duration.ofMinutes(90));
    desk.step(id);
    long before = hold(id).costMicros();
    desk.clock.advance(Duration.ofHours(-1));
    desk.step(id);
    desk.clock.advance(Duration.ofMinutes(5));
    desk.step(id);
    assertThat(hold(id).costMicros()).isEqualTo(before);
    desk.clock.advance(Duration.ofHours(2));
    desk.step(id);
    desk.stop(id);
    Instant expected = ready;
    for (Usage part : usage(id)) {
      assertThat(part.from()).isEqualTo(expected);
      expected = part.to();
    }
    assertThat(hold(id).costMicros())
        .isEqualTo(Usage.cost(Duration.between(ready, expected).toSeconds(), 1, 4_000_000));
  }

  @Test
  void aLeaseThatIsStoppedBeforeItRanCostsNothing() {
    UUID id = desk.request(1, Tier.ON_DEMAND);
    assertThat(hold(id).heldMicros()).isEqualTo(4_000_000);
    desk.stop(id);
    assertThat(hold(id).heldMicros()).isZero();
    assertThat(hold(id).costMicros()).isZero();
  }

  @Test
  void moreThanTheMostIsRefusedAndNothingIsWritten() {
    Guards most = new Guards(Optional.of(7_999_999L), Optional.empty());
    LeaseSpec spec = Desk.spec(2, Tier.ON_DEMAND, LeaseSpec.WhenFull.QUEUE, most);
    assertThatThrownBy(() -> desk.request(spec))
        .isInstanceOfSatisfying(
            Refused.class,
            no ->
                assertThat(no.refusal()).isEqualTo(new Refusal.PriceTooHigh(8_000_000, 7_999_999)));
    assertThat(desk.ledger.balance(Desk.caller(Standing.OWNER)).heldMicros()).isZero();
  }
}
