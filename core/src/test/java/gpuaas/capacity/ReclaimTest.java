package gpuaas.capacity;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.capacity.Reclaim.Answer;
import gpuaas.capacity.Reclaim.Holder;
import gpuaas.catalog.Want;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.TestClock;
import gpuaas.spi.Tier;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Who makes room: the newest, as few as will do, nobody in vain, and never for spot. */
class ReclaimTest {

  private static final Offer OFFER =
      new SimProvider("sim", new TestClock(), SimScript::prompt, 2, 8)
          .offers(OfferQuery.all())
          .getFirst();

  private static Want want(int gpus, Tier tier) {
    return new Want("", OFFER.gpu().model(), gpus, Optional.empty(), tier);
  }

  private static Holder spot(int name, String node, int from, int count) {
    return new Holder(new UUID(0, name), "sim", node, gpus(node, from, count));
  }

  private static List<String> gpus(String node, int from, int count) {
    return IntStream.range(from, from + count).mapToObj(gpu -> node + "/" + gpu).toList();
  }

  private static Room room(String node, int free) {
    return new Room(OFFER, node, gpus(node, 8 - free, free));
  }

  private static Answer decide(Want want, List<Room> rooms, List<Holder> newestFirst) {
    return Reclaim.decide(List.of(), want, rooms, List.of(), newestFirst);
  }

  @Test
  void theNewestMakesRoomAndNobodyElse() {
    List<Holder> holders = List.of(spot(3, "a", 4, 2), spot(2, "a", 2, 2), spot(1, "a", 0, 2));
    Answer answer = decide(want(3, Tier.ON_DEMAND), List.of(room("a", 2)), holders);
    assertThat(answer).isEqualTo(new Answer(holders.subList(0, 1), true));
  }

  @Test
  void aNewerOneOnAnotherMachineIsSparedWhenItDoesNotHelp() {
    List<Holder> holders = List.of(spot(2, "b", 0, 1), spot(1, "a", 0, 4));
    Answer answer = decide(want(8, Tier.ON_DEMAND), List.of(room("a", 4), room("b", 0)), holders);
    assertThat(answer.take()).containsExactly(holders.getLast());
  }

  @Test
  void nobodyIsTakenBackInVain() {
    List<Holder> holders = List.of(spot(1, "a", 0, 4));
    assertThat(decide(want(8, Tier.ON_DEMAND), List.of(room("a", 2)), holders))
        .isEqualTo(new Answer(List.of(), false));
  }

  @Test
  void nobodyIsTakenBackForSpot() {
    List<Holder> holders = List.of(spot(1, "a", 0, 8));
    assertThat(decide(want(1, Tier.SPOT), List.of(room("a", 0)), holders))
        .isEqualTo(new Answer(List.of(), false));
  }

  @Test
  void nobodyMoreIsTakenBackWhileRoomIsBeingMade() {
    Holder leaving = spot(9, "a", 0, 4);
    List<Holder> holders = List.of(spot(1, "a", 4, 4));
    Answer answer =
        Reclaim.decide(
            List.of(), want(4, Tier.ON_DEMAND), List.of(room("a", 0)), List.of(leaving), holders);
    assertThat(answer).isEqualTo(new Answer(List.of(), true));
  }

  @Test
  void whoComesAfterOthersDoesNotTakeWhatIsMadeFreeForThem() {
    Holder leaving = spot(9, "a", 0, 4);
    Answer answer =
        Reclaim.decide(
            List.of(want(4, Tier.ON_DEMAND)),
            want(4, Tier.ON_DEMAND),
            List.of(room("a", 0)),
            List.of(leaving),
            List.of(spot(1, "a", 4, 4)));
    assertThat(answer.take()).hasSize(1);
  }
}
