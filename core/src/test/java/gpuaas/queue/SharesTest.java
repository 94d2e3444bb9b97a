package gpuaas.queue;

import static gpuaas.queue.Yard.waiter;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.capacity.Reclaim;
import gpuaas.queue.Shares.Candidate;
import gpuaas.queue.Shares.Use;
import gpuaas.sim.SimProvider;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** Who may have how much, who comes first, and who makes room. */
class SharesTest {

  private static final UUID ADA = new UUID(3, 1);
  private static final UUID BOB = new UUID(3, 2);
  private static final Optional<Duration> HOUR = Optional.of(Duration.ofHours(1));

  private static Quota quota(UUID person, int guaranteed, Integer most) {
    return new Quota(Quota.Scope.PERSON, person, "", guaranteed, Optional.ofNullable(most));
  }

  private static Waiter of(UUID person, int id, int gpus) {
    return Yard.of(waiter(id, gpus, HOUR, Optional.empty()), person);
  }

  @Property(tries = 300)
  void nobodyEverHoldsMoreThanHeMayAndAllAreServedInTheEnd(
      @ForAll @Size(max = 12) List<@IntRange(min = 1, max = 4) Integer> gpus,
      @ForAll @IntRange(min = 4, max = 8) int most) {
    Yard yard = new Yard(3, 4);
    yard.quotas = List.of(quota(ADA, 2, most));
    IntStream.range(0, gpus.size())
        .forEach(id -> yard.waiting.add(of(id % 3 == 0 ? BOB : ADA, id, gpus.get(id))));
    do {
      yard.look();
      assertThat(yard.held(ADA)).isLessThanOrEqualTo(most);
    } while (yard.next());
    assertThat(yard.waiting).isEmpty();
  }

  @Test
  void whoHasAllThatHeMayHaveStandsInNobodysWay() {
    Yard yard = new Yard(1, 4);
    yard.quotas = List.of(quota(ADA, 0, 2));
    yard.waiting.addAll(List.of(of(ADA, 1, 2), of(ADA, 2, 1), of(BOB, 3, 2)));
    assertThat(yard.look().stream().map(start -> start.waiter().person()))
        .containsExactly(ADA, BOB);
  }

  @Test
  void whatIsSureComesBeforeWhatIsNot() {
    Yard yard = new Yard(1, 4);
    yard.quotas = List.of(quota(BOB, 4, null));
    yard.waiting.addAll(List.of(of(ADA, 1, 1), of(BOB, 2, 4)));
    assertThat(yard.look().stream().map(start -> start.waiter().person())).containsExactly(BOB);
  }

  @Test
  void whatNobodyWantsThatIsSureIsForAnybody() {
    Yard yard = new Yard(1, 4);
    yard.quotas = List.of(quota(BOB, 4, null));
    yard.waiting.addAll(List.of(of(ADA, 1, 4)));
    assertThat(yard.look()).hasSize(1);
  }

  @Test
  void whoIsFurthestAboveHisShareMakesRoomFirstAndKeepsHisShare() {
    List<Quota> quotas = List.of(quota(ADA, 2, null), quota(BOB, 1, null));
    List<Candidate> newestFirst = new ArrayList<>();
    // Ada holds five, two of them sure; Bob four, one of them sure.
    for (int lease = 9; lease > 0; lease--) {
      UUID owner = lease > 4 ? ADA : BOB;
      newestFirst.add(
          new Candidate(
              new Reclaim.Holder(new UUID(4, lease), "sim", "node-0", List.of("gpu-" + lease)),
              new Use(owner, owner, SimProvider.GPU.model(), 1)));
    }
    List<Long> order =
        Shares.overShare(quotas, newestFirst).stream()
            .map(holder -> holder.lease().getLeastSignificantBits())
            .toList();
    assertThat(order).hasSize(6).containsExactlyInAnyOrder(9L, 8L, 7L, 4L, 3L, 2L);
    assertThat(order.stream().filter(lease -> lease > 4)).containsExactly(9L, 8L, 7L);
  }

  @Test
  void theReasonIsTheQuota() {
    Shares shares = new Shares(List.of(quota(ADA, 0, 2)), List.of(new Use(ADA, ADA, "H200", 2)));
    assertThat(shares.forbids(List.of(of(ADA, 1, 1))))
        .contains("The quota of its owner is 2 GPUs, of which 2 are in use; it needs 1.");
    assertThat(shares.forbids(List.of(of(BOB, 1, 1)))).isEmpty();
  }
}
