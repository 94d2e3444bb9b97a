package gpuaas.lease;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.base.Standing;
import gpuaas.disk.TestDisks;
import gpuaas.events.Event;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.ledger.Hold;
import gpuaas.ledger.HoldStore;
import gpuaas.ledger.LedgerRules;
import gpuaas.ledger.LedgerStore;
import gpuaas.ledger.UsageStore;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Spot leases are cheaper, and make room for firm ones: told before, newest first, never in vain.
 */
class SpotTest {

  private final Desk desk = new Desk(LedgerRules.standard(), 4);

  @AfterEach
  void close() {
    List<String> differences = desk.database.read(LedgerStore::differences);
    desk.close();
    assertThat(differences).isEmpty();
  }

  private List<Event.Type> told(UUID lease) {
    return desk.parts.leases().timeline(Desk.caller(Standing.OWNER), lease).stream()
        .map(Event::type)
        .toList();
  }

  private UUID firm(int gpus) {
    return desk.request(Desk.spec(gpus, Tier.ON_DEMAND, LeaseSpec.WhenFull.FAIL, Guards.NONE));
  }

  @Test
  void theNewestMakesRoomAfterItsGraceAndIsBilledUntilThen() {
    UUID older = desk.request(2, Tier.SPOT);
    desk.stepTo(older, "running");
    UUID newer = desk.request(2, Tier.SPOT);
    desk.stepTo(newer, "running");
    UUID firm = firm(2);
    desk.step(firm);
    Instant deadline = desk.lease(newer).history().reclaimAt().orElseThrow();
    assertThat(deadline).isEqualTo(desk.clock.instant().plus(Duration.ofSeconds(30)));
    assertThat(desk.lease(older).history().reclaimAt()).isEmpty();
    assertThat(told(newer)).contains(Event.Type.LEASE_RECLAIMING);
    desk.clock.advance(Duration.ofSeconds(29));
    desk.step(newer);
    desk.step(firm);
    assertThat(desk.lease(newer).state().text()).isEqualTo("running");
    assertThat(desk.lease(firm).state().text())
        .as("it does not fail while room is made for it")
        .isEqualTo("waiting");
    desk.clock.advance(Duration.ofSeconds(1));
    Lease ended = desk.stepTo(newer, "ended");
    assertThat(((LeaseState.Ended) ended.state()).why()).isEqualTo(EndReason.RECLAIMED);
    desk.stepTo(firm, "running");
    assertThat(desk.lease(older).state().text()).isEqualTo("running");
    assertThat(desk.database.read(tx -> UsageStore.ofLease(tx, newer)).getLast().to())
        .isEqualTo(deadline);
  }

  @Test
  void spotCostsLess() {
    Hold spot = hold(desk.request(1, Tier.SPOT));
    Hold firm = hold(desk.request(1, Tier.ON_DEMAND));
    assertThat(spot.heldMicros()).isEqualTo(firm.heldMicros() * 6 / 10);
  }

  @Test
  void nobodyIsTakenBackInVainNorForSpot() {
    UUID firm = firm(2);
    desk.stepTo(firm, "running");
    UUID spot = desk.request(2, Tier.SPOT);
    desk.stepTo(spot, "running");
    UUID tooLarge = firm(4);
    desk.stepTo(tooLarge, "ended");
    UUID otherSpot = desk.request(2, Tier.SPOT);
    desk.step(otherSpot);
    assertThat(desk.lease(spot).history().reclaimAt()).isEmpty();
    assertThat(desk.lease(firm).history().reclaimAt()).isEmpty();
    assertThat(desk.lease(otherSpot).state().text()).isEqualTo("waiting");
  }

  @Test
  void whatWasTakenBackIsNotTakenByAnotherSpotLease() {
    UUID spot = desk.request(4, Tier.SPOT);
    desk.stepTo(spot, "running");
    UUID waitingSpot = desk.request(1, Tier.SPOT);
    desk.step(waitingSpot);
    UUID firm = desk.request(4, Tier.ON_DEMAND);
    desk.step(firm);
    desk.clock.advance(Duration.ofSeconds(31));
    desk.stepTo(spot, "ended");
    desk.step(waitingSpot);
    assertThat(desk.lease(waitingSpot).state().text()).isEqualTo("waiting");
    desk.stepTo(firm, "running");
  }

  @Test
  void nobodyIsTakenBackForALeaseThatWasStoppedMeanwhile() {
    UUID spot = desk.request(4, Tier.SPOT);
    desk.stepTo(spot, "running");
    UUID firm = desk.request(4, Tier.ON_DEMAND);
    Lease asRead = desk.lease(firm);
    desk.stop(firm);
    LeaseStore store =
        new LeaseStore(
            desk.database,
            desk.clock,
            new LeaseParts.Hooks((kind, id) -> {}, lease -> {}, id -> Optional.empty()),
            LeaseRules.standard(),
            desk.ledger,
            TestDisks.none(),
            java.util.Set.of());
    assertThat(store.place(asRead, desk.clock.instant())).isEqualTo(new LeaseBook.Turn.Full(false));
    assertThat(desk.lease(spot).history().reclaimAt()).isEmpty();
  }

  private Hold hold(UUID lease) {
    return desk.database.read(tx -> HoldStore.find(tx, lease)).orElseThrow();
  }
}
