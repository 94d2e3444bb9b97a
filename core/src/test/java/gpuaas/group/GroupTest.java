package gpuaas.group;

import static gpuaas.group.GroupStatus.ACTIVE;
import static gpuaas.group.GroupStatus.DEGRADED;
import static gpuaas.group.GroupStatus.FAILED;
import static gpuaas.group.GroupStatus.PROVISIONING;
import static gpuaas.group.GroupStatus.RELEASED;
import static gpuaas.group.GroupStatus.RELEASE_FAILED;
import static gpuaas.group.GroupStatus.RELEASING;
import static gpuaas.group.GroupStatus.REQUESTED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.base.Caller;
import gpuaas.base.Page;
import gpuaas.base.Refused;
import gpuaas.base.Standing;
import gpuaas.group.Group.Whole;
import gpuaas.lease.Desk;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.ledger.LedgerRules;
import gpuaas.spi.Tier;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Groups of leases on a real database. */
class GroupTest {

  private static final Caller CALLER = Desk.caller(Standing.OWNER);

  private final Desk desk = new Desk(LedgerRules.standard(), 2);
  private final AtomicLong ids = new AtomicLong(9000);
  private final Groups groups =
      new Groups(
          desk.database, desk.parts.leases(), () -> new UUID(0, ids.incrementAndGet()), desk.clock);

  @AfterEach
  void close() {
    desk.close();
  }

  @Test
  void oneWordForWhatTheLeasesAre() {
    Map.of(
            Set.of(REQUESTED), REQUESTED,
            Set.of(REQUESTED, PROVISIONING), PROVISIONING,
            Set.of(ACTIVE, REQUESTED), PROVISIONING,
            Set.of(ACTIVE), ACTIVE,
            Set.of(ACTIVE, RELEASED), ACTIVE,
            Set.of(ACTIVE, PROVISIONING, FAILED), DEGRADED,
            Set.of(RELEASING, RELEASED, FAILED), RELEASING,
            Set.of(RELEASING, RELEASE_FAILED), RELEASE_FAILED,
            Set.of(RELEASED, FAILED), RELEASED,
            Set.of(FAILED), FAILED)
        .forEach(
            (words, word) -> assertThat(GroupStatus.of(words)).as("%s", words).isEqualTo(word));
    assertThat(GroupStatus.of(List.of())).isEqualTo(RELEASED);
  }

  private Whole request(String name, int gpus, int count) {
    LeaseSpec spec = Desk.spec(gpus, Tier.ON_DEMAND, LeaseSpec.WhenFull.QUEUE, Guards.NONE);
    return desk.database.tx(tx -> groups.request(tx, CALLER, name, spec, count));
  }

  @Test
  void allOrNoneAreAcceptedAndEachGoesItsOwnWay() {
    Whole asked = request("train", 1, 3);
    assertThat(asked.status()).isEqualTo(REQUESTED);
    List<UUID> leases = asked.leases().stream().map(Lease::id).toList();
    desk.stepTo(leases.get(0), "running");
    desk.stepTo(leases.get(1), "running");
    desk.step(leases.get(2));
    UUID id = asked.group().id();
    Whole now = groups.get(CALLER, id);
    assertThat(now.leases()).extracting(Lease::id).containsExactlyElementsOf(leases);
    assertThat(now.status()).as("the third waits for room").isEqualTo(PROVISIONING);
    desk.stop(leases.get(0));
    desk.stepTo(leases.get(0), "ended");
    desk.stepTo(leases.get(2), "running");
    assertThat(groups.get(CALLER, id).status()).isEqualTo(ACTIVE);
    for (int i = 0; i < 2; i++) { // again is fine
      Whole released = desk.database.tx(tx -> groups.release(tx, CALLER, id));
      assertThat(released.status()).isEqualTo(RELEASING);
    }
    leases.forEach(lease -> desk.stepTo(lease, "ended"));
    assertThat(groups.get(CALLER, id).status()).isEqualTo(RELEASED);
    assertThatThrownBy(() -> request("too large", 3, 2)).isInstanceOf(Refused.class);
    assertThat(groups.list(CALLER, Optional.empty(), 10).items()).hasSize(1);
  }

  @Test
  void listsGoOnWhereTheyEndedAndShowNobodyElses() {
    for (String name : List.of("a", "b", "c")) {
      request(name, 1, 1);
    }
    Page<Whole> first = groups.list(CALLER, Optional.empty(), 2);
    assertThat(first.items()).extracting(one -> one.group().name()).containsExactly("c", "b");
    Optional<UUID> next = first.next().map(UUID::fromString);
    Page<Whole> second = groups.list(CALLER, next, 2);
    assertThat(second.items()).extracting(one -> one.group().name()).containsExactly("a");
    assertThat(second.next()).isEmpty();
    Caller other =
        new Caller(
            new UUID(0, 8),
            "other",
            new UUID(0, 8),
            new UUID(0, 8),
            Standing.OWNER,
            Optional.empty(),
            "trace");
    assertThat(groups.list(other, Optional.empty(), 2).items()).isEmpty();
    UUID id = first.items().getFirst().group().id();
    assertThatThrownBy(() -> groups.get(other, id)).isInstanceOf(Refused.class);
    assertThatThrownBy(() -> desk.database.tx(tx -> groups.release(tx, other, id)))
        .isInstanceOf(Refused.class);
  }
}
