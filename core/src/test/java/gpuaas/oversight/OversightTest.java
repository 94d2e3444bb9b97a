package gpuaas.oversight;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.audit.AuditStore;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.base.Standing;
import gpuaas.events.Event;
import gpuaas.lease.Desk;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseListStore.Filter;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.ledger.LedgerRules;
import gpuaas.ledger.LedgerStore;
import gpuaas.oversight.Oversight.Evidence;
import gpuaas.oversight.Oversight.Held;
import gpuaas.sim.SimScript;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Ends that a provider does not confirm, and what whoever runs the platform can do about them. */
class OversightTest {

  private static final Caller ADMIN =
      new Caller(
          new UUID(0, 9),
          "admin",
          new UUID(0, 9),
          new UUID(0, 9),
          Standing.PLATFORM_ADMIN,
          Optional.empty(),
          "trace-9");

  private Duration goneAfter = Duration.ofDays(1);
  private final Desk desk =
      new Desk(
          LedgerRules.standard(),
          () -> new SimScript(Duration.ZERO, Duration.ZERO, goneAfter, Duration.ZERO),
          1,
          2);
  private final Oversight oversight = new Oversight(desk.database, desk.parts.leases(), desk.clock);

  @AfterEach
  void close() {
    List<String> differences = desk.database.read(LedgerStore::differences);
    desk.close();
    assertThat(differences).isEmpty();
  }

  private UUID stuck() {
    UUID id = desk.request(2, Tier.ON_DEMAND);
    desk.stepTo(id, "running");
    desk.stop(id);
    desk.clock.advance(Duration.ofMinutes(10));
    desk.step(id);
    assertThat(desk.lease(id).history().trouble().stuck()).startsWith("sim still has sim-");
    return id;
  }

  private Held cleanUp(UUID id, boolean absent) {
    return desk.database.tx(
        tx -> oversight.forceCleanup(tx, ADMIN, id, new Evidence(absent, "I looked")));
  }

  private List<String> actions(UUID id) {
    return desk.database.read(tx -> AuditStore.actions(tx, id));
  }

  private List<Event.Type> told(UUID id) {
    return desk.parts.leases().timeline(Desk.caller(Standing.OWNER), id).stream()
        .map(Event::type)
        .toList();
  }

  @Test
  void anEndThatIsStuckIsListedAndTriedAnewByWhoeverAsks() {
    UUID id = stuck();
    assertThat(listed(Optional.of(true))).containsExactly(id);
    assertThat(listed(Optional.of(false))).isEmpty();
    desk.step(id);
    assertThat(told(id)).containsOnlyOnce(Event.Type.LEASE_STOP_STUCK);
    desk.stop(id);
    assertThat(listed(Optional.of(true))).isEmpty();
    assertThat(told(id)).contains(Event.Type.LEASE_STOP_RETRIED);
    desk.clock.advance(Duration.ofMinutes(10));
    desk.step(id);
    assertThat(told(id)).filteredOn(Event.Type.LEASE_STOP_STUCK::equals).hasSize(2);
    desk.clock.advance(Duration.ofDays(1));
    desk.stepTo(id, "ended");
  }

  private List<UUID> listed(Optional<Boolean> stuck) {
    Filter all = Filter.ALL;
    Filter filter =
        new Filter(
            all.consumer(),
            all.parents(),
            all.provider(),
            Set.of("stopping"),
            all.failed(),
            stuck,
            all.sku(),
            all.group());
    return oversight.list(ADMIN, Optional.empty(), filter, Optional.empty(), 10).items().stream()
        .map(Lease::id)
        .toList();
  }

  @Test
  void whatIsVerifiedAbsentIsFreeAtOnce() {
    UUID id = stuck();
    Held held = cleanUp(id, true);
    assertThat(held.lease().state()).isInstanceOf(Ended.class);
    assertThat(held.lease().state().end()).contains(EndReason.ASKED);
    assertThat(held.isBlocked()).isFalse();
    assertThat(actions(id)).contains("allocation.force_cleanup");
    desk.stepTo(desk.request(2, Tier.ON_DEMAND), "running");
  }

  @Test
  void whatIsNotProvenStaysBlockedUntilItsProviderShowsThatNothingIsLeft() {
    UUID id = stuck();
    Held held = cleanUp(id, false);
    assertThat(held.lease().state().end()).contains(EndReason.CLEANUP_UNPROVEN);
    assertThat(held.isBlocked()).isTrue();
    UUID next = desk.request(2, Tier.ON_DEMAND);
    desk.step(next);
    desk.parts.sweeper().sweep("sim");
    desk.step(next);
    assertThat(desk.lease(next).state().text()).isEqualTo("waiting");
    desk.clock.advance(Duration.ofDays(1));
    desk.parts.sweeper().sweep("sim");
    assertThat(oversight.get(ADMIN, id).isBlocked()).isFalse();
    desk.stepTo(next, "running");
    assertThat(desk.machine.living()).hasSize(1);
  }

  @Test
  void theProofMayComeLaterAndBothMayBeSaidAgain() {
    UUID id = stuck();
    assertThat(cleanUp(id, false).isBlocked()).isTrue();
    assertThat(cleanUp(id, false).isBlocked()).isTrue();
    assertThat(cleanUp(id, true).isBlocked()).isFalse();
    assertThat(cleanUp(id, true).isBlocked()).isFalse();
    assertThat(actions(id)).filteredOn("allocation.force_cleanup"::equals).hasSize(2);
  }

  @Test
  void onlyAnEndThatIsStuckMayBeForced() {
    UUID id = desk.request(1, Tier.ON_DEMAND);
    desk.stepTo(id, "running");
    assertThatThrownBy(() -> cleanUp(id, true))
        .isInstanceOfSatisfying(
            Refused.class, no -> assertThat(no.refusal()).isInstanceOf(Refusal.WrongState.class));
    desk.stop(id);
    assertThatThrownBy(() -> cleanUp(id, true)).isInstanceOf(Refused.class);
  }

  @Test
  void anAdministratorEndsAnybodysAndNobodyElseDoes() {
    UUID id = desk.request(1, Tier.ON_DEMAND);
    desk.stepTo(id, "running");
    assertThatThrownBy(() ->
            desk.database.tx(tx -> oversight.forceRelease(tx, Desk.caller(Standing.OWNER), id, "")))
        .isInstanceOfSatisfying(
            Refused.class, no -> assertThat(no.refusal()).isInstanceOf(Refusal.Denied.class));
    goneAfter = Duration.ZERO;
    Held held = desk.database.tx(tx -> oversight.forceRelease(tx, ADMIN, id, "it mines"));
    assertThat(held.lease().state().end()).contains(EndReason.FORCED);
    assertThat(actions(id)).contains("allocation.force_release");
  }
}
