package gpuaas.queue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.base.Refused;
import gpuaas.catalog.Gang;
import gpuaas.lease.Desk;
import gpuaas.lease.EndReason;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.lease.LeaseState;
import gpuaas.ledger.LedgerRules;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.Tier;
import gpuaas.spi.gang.Membership;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Members of a gang begin together or not at all, and end together. */
class GangTest {

  private Desk desk;

  @BeforeEach
  void open() {
    desk = new Desk(LedgerRules.standard(), 2, 4);
  }

  @AfterEach
  void close() {
    desk.close();
  }

  private UUID member(String gang, int index, int size, int gpus) {
    LeaseSpec alone = Desk.spec(gpus, Tier.ON_DEMAND, LeaseSpec.WhenFull.QUEUE, Guards.NONE);
    return desk.request(alone.in(new Gang(gang, index, size)));
  }

  private void stepAll(List<UUID> leases, int times) {
    for (int i = 0; i < times; i++) {
      leases.forEach(desk::step);
      desk.clock.advance(Duration.ofSeconds(1));
    }
  }

  @Test
  void membersWaitForEachOtherAndThenBeginOnMachinesOfTheirOwn() {
    UUID first = member("train", 0, 2, 2);
    stepAll(List.of(first), 3);
    assertThat(desk.lease(first).state()).isInstanceOf(LeaseState.Waiting.class);
    UUID second = member("train", 1, 2, 2);
    stepAll(List.of(second, first), 5);
    assertThat(List.of(desk.lease(first), desk.lease(second)))
        .allMatch(lease -> lease.state() instanceof LeaseState.Running);
    List<InstanceRequest> requests = desk.machine.requests();
    assertThat(requests.stream().map(InstanceRequest::node)).doesNotHaveDuplicates().hasSize(2);
    assertThat(requests.stream().map(request -> request.membership().orElseThrow()))
        .containsExactlyInAnyOrder(new Membership("train", 0, 2), new Membership("train", 1, 2));
    InstanceRequest request =
        requests.stream()
            .filter(one -> one.membership().orElseThrow().index() == 1)
            .findFirst()
            .orElseThrow();
    assertThat(request.environment())
        .containsEntry("NODE_RANK", "1")
        .containsEntry("NNODES", "2")
        .containsEntry("NPROC_PER_NODE", "2")
        .containsEntry("WORLD_SIZE", "4")
        .containsEntry("MASTER_ADDR", "node-0")
        .containsEntry("MASTER_PORT", "29500")
        .containsEntry("GANG_MEMBERS", "node-0,node-1");
  }

  @Test
  void thereIsRoomForAllOrNobodyBegins() {
    UUID other = desk.request(4, Tier.ON_DEMAND);
    desk.stepTo(other, "running");
    UUID first = member("train", 0, 2, 4);
    UUID second = member("train", 1, 2, 4);
    stepAll(List.of(first, second), 4);
    assertThat(List.of(desk.lease(first), desk.lease(second)))
        .allMatch(lease -> lease.state() instanceof LeaseState.Waiting);
    desk.stop(other);
    desk.stepTo(other, "ended");
    stepAll(List.of(second, first), 5);
    assertThat(List.of(desk.lease(first), desk.lease(second)))
        .allMatch(lease -> lease.state() instanceof LeaseState.Running);
  }

  @Test
  void whenTheOthersNeverComeItEnds() {
    UUID first = member("train", 0, 2, 1);
    desk.step(first);
    desk.clock.advance(QueueRules.standard().gangWait());
    desk.step(first);
    assertThat(desk.lease(first).state().end()).contains(EndReason.GANG);
  }

  @Test
  void whenOneIsLostAllEndAndNothingIsLeft() {
    UUID first = member("train", 0, 2, 2);
    UUID second = member("train", 1, 2, 2);
    stepAll(List.of(first, second), 5);
    LeaseState.Running running = (LeaseState.Running) desk.lease(first).state();
    desk.machine.destroy(new InstanceRef("sim", running.instance().id()));
    stepAll(List.of(first, second), 6);
    assertThat(desk.lease(first).state().end()).contains(EndReason.LOST);
    assertThat(desk.lease(second).state().end()).contains(EndReason.GANG);
    assertThat(List.of(desk.lease(first), desk.lease(second)))
        .allMatch(lease -> lease.state() instanceof LeaseState.Ended);
    assertThat(desk.machine.living()).isEmpty();
  }

  @Test
  void cancellingOneCancelsAllAlsoWhileTheyWait() {
    UUID first = member("train", 0, 3, 2);
    UUID second = member("train", 1, 3, 2);
    stepAll(List.of(first, second), 1);
    desk.stop(second);
    stepAll(List.of(first), 1);
    assertThat(desk.lease(first).state()).isInstanceOf(LeaseState.Ended.class);
    assertThat(desk.lease(first).state().end()).contains(EndReason.ASKED);
  }

  @Test
  void aMemberThatIsCancelledWhileItsPlaceIsHeldLeavesNothingBehind() {
    // The second one's step places both; the first is cancelled before it asks for its part.
    UUID first = member("train", 0, 2, 2);
    UUID second = member("train", 1, 2, 2);
    desk.step(second);
    desk.stop(first);
    stepAll(List.of(first, second), 6);
    assertThat(List.of(desk.lease(first), desk.lease(second)))
        .allMatch(lease -> lease.state() instanceof LeaseState.Ended);
    UUID all = desk.request(4, Tier.ON_DEMAND);
    UUID rest = desk.request(4, Tier.ON_DEMAND);
    desk.stepTo(all, "running");
    desk.stepTo(rest, "running");
  }

  @Test
  void aGangHasALargestSize() {
    assertThatThrownBy(() -> member("train", 0, 65, 1)).isInstanceOf(Refused.class);
  }
}
