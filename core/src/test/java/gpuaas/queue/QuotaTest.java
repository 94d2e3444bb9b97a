package gpuaas.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.audit.AuditStore;
import gpuaas.base.Caller;
import gpuaas.base.Refused;
import gpuaas.base.Standing;
import gpuaas.capacity.Delay;
import gpuaas.lease.Desk;
import gpuaas.lease.EndReason;
import gpuaas.lease.LeaseRules;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.lease.LeaseState;
import gpuaas.ledger.LedgerRules;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Quotas, over a real database: what is sure is given back by those who hold more. */
class QuotaTest {

  private static final UUID OTHER = new UUID(0, 3);
  private static final Caller ADMIN = Desk.caller(Standing.PLATFORM_ADMIN);

  private Desk desk;
  private Quotas quotas;

  @BeforeEach
  void open() {
    desk = new Desk(LedgerRules.standard(), 1, 4);
    quotas = new Quotas(desk.database, desk.clock);
    desk.database.run(tx ->
        tx.update(
                "insert into person (id, username, default_project_id, made_at) values (:id,"
                    + " 'other', :project, now())")
            .bind("id", OTHER)
            .bind("project", Desk.OWNER)
            .execute());
  }

  @AfterEach
  void close() {
    desk.close();
  }

  private UUID request(UUID person, int gpus) {
    Caller caller =
        new Caller(person, "x", Desk.OWNER, Desk.OWNER, Standing.OWNER, Optional.empty(), "t");
    LeaseSpec spec = Desk.spec(gpus, Tier.ON_DEMAND, LeaseSpec.WhenFull.QUEUE, Guards.NONE);
    desk.clock.advance(Duration.ofSeconds(1));
    return desk.request(spec, caller);
  }

  private static Quota quota(UUID person, int guaranteed, Optional<Integer> most) {
    return new Quota(Quota.Scope.PERSON, person, "", guaranteed, most);
  }

  @Test
  void whoHoldsMoreThanIsSureMakesRoomForWhoWantsWhatIs() {
    quotas.set(ADMIN, quota(Desk.OWNER, 2, Optional.empty()));
    quotas.set(ADMIN, quota(OTHER, 2, Optional.empty()));
    List<UUID> others = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      others.add(request(OTHER, 1));
      desk.stepTo(others.getLast(), "running");
    }
    UUID sure = request(Desk.OWNER, 2);
    desk.step(sure);
    // The newest two are told, and go on for a while; the oldest two are his.
    assertThat(others.stream().map(id -> desk.lease(id).history().reclaimAt().isPresent()))
        .containsExactly(false, false, true, true);
    desk.clock.advance(LeaseRules.standard().spotGrace());
    others.subList(2, 4).forEach(id -> desk.stepTo(id, "ended"));
    assertThat(others.subList(2, 4))
        .allMatch(id -> desk.lease(id).state().end().equals(Optional.of(EndReason.RECLAIMED)));
    desk.stepTo(sure, "running");
    // What is not sure takes nothing back.
    UUID unsure = request(Desk.OWNER, 1);
    desk.step(unsure);
    assertThat(desk.lease(unsure).state()).isInstanceOf(LeaseState.Waiting.class);
    assertThat(others.subList(0, 2)).allMatch(id -> desk.lease(id).history().reclaimAt().isEmpty());
  }

  @Test
  void whoHasAllThatHeMayHaveWaitsAndHearsWhy() {
    quotas.set(ADMIN, quota(OTHER, 0, Optional.of(1)));
    desk.stepTo(request(OTHER, 1), "running");
    UUID more = request(OTHER, 1);
    desk.step(more);
    assertThat(desk.lease(more).state()).isInstanceOf(LeaseState.Waiting.class);
    assertThat(desk.parts.leases().delay(desk.lease(more)).map(Delay::reason))
        .contains("The quota of its owner is 1 GPUs, of which 1 are in use; it needs 1.");
    desk.stepTo(request(Desk.OWNER, 3), "running");
    assertThat(quotas.remove(ADMIN, Quota.Scope.PERSON, OTHER, "")).isTrue();
  }

  @Test
  void quotasAreForAdministratorsAndLeaveATrace() {
    Quota quota = quota(OTHER, 1, Optional.of(2));
    assertThatThrownBy(() -> quotas.set(Desk.caller(Standing.OWNER), quota))
        .isInstanceOf(Refused.class);
    quotas.set(ADMIN, quota);
    assertThat(quotas.list(ADMIN)).containsExactly(quota);
    assertThat(quotas.remove(ADMIN, Quota.Scope.PERSON, OTHER, "")).isTrue();
    assertThat(quotas.remove(ADMIN, Quota.Scope.PERSON, OTHER, "")).isFalse();
    List<String> trail = desk.database.read(tx -> AuditStore.actions(tx, OTHER));
    assertThat(trail).containsExactly("quota.set", "quota.remove");
  }
}
