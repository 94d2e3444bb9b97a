package gpuaas.capacity;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.catalog.Want;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import gpuaas.spi.Money;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Region;
import gpuaas.spi.TestClock;
import gpuaas.spi.Tier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/**
 * Placement never gives what is not free, never a GPU twice, and never overtakes to somebody's
 * harm.
 */
class PlacementPropertyTest {

  private static final int GPUS = 8;
  private static final Offer OFFER =
      new SimProvider("sim", new TestClock(), SimScript::prompt, 1, GPUS)
          .offers(OfferQuery.all())
          .getFirst();

  @Provide
  Arbitrary<List<Room>> rooms() {
    Arbitrary<Set<Integer>> free =
        Arbitraries.integers().between(0, GPUS - 1).set().ofMaxSize(GPUS);
    return free.list().ofMaxSize(5).map(PlacementPropertyTest::rooms);
  }

  private static List<Room> rooms(List<Set<Integer>> free) {
    return IntStream.range(0, free.size())
        .mapToObj(node ->
            new Room(
                OFFER,
                "node-" + node,
                free.get(node).stream().sorted().map(gpu -> node + "/" + gpu).toList()))
        .toList();
  }

  @Provide
  Arbitrary<List<Want>> wants() {
    return Arbitraries.integers()
        .between(1, GPUS + 1)
        .map(PlacementPropertyTest::want)
        .list()
        .ofMaxSize(8);
  }

  private static Want want(int count) {
    return new Want("", OFFER.gpu().model(), count, Optional.empty(), Tier.ON_DEMAND);
  }

  @Property
  void placingInTurnNeverGivesAGpuTwiceNorOneThatIsHeld(
      @ForAll("rooms") List<Room> rooms, @ForAll("wants") List<Want> wants) {
    Set<String> free = new HashSet<>();
    rooms.forEach(room -> free.addAll(room.freeGpuIds()));
    Set<String> taken = new HashSet<>();
    List<Room> left = new ArrayList<>(rooms);
    for (Want want : wants) {
      Optional<Placement.Choice> choice = Placement.choose(want, left);
      if (choice.isPresent()) {
        List<String> gpus = choice.get().gpuIds();
        assertThat(gpus).hasSize(want.gpuCount());
        assertThat(free).containsAll(gpus);
        assertThat(taken).doesNotContainAnyElementsOf(gpus);
        assertThat(choice.get().room().freeGpuIds()).containsAll(gpus);
        taken.addAll(gpus);
        left.replaceAll(room -> room.equals(choice.get().room()) ? room.without(gpus) : room);
      }
    }
  }

  @Property
  void whoIsPlacedBehindOthersTakesNothingThatTheyWouldHaveGot(
      @ForAll("rooms") List<Room> rooms, @ForAll("wants") List<Want> ahead) {
    Want last = want(1);
    Optional<Placement.Choice> choice = Placement.chooseInTurn(ahead, last, rooms);
    if (choice.isEmpty()) {
      return;
    }
    List<Room> without =
        rooms.stream()
            .map(room ->
                room.equals(choice.get().room()) ? room.without(choice.get().gpuIds()) : room)
            .toList();
    List<Room> left = new ArrayList<>(without);
    for (Want want : ahead) {
      Optional<Placement.Choice> theirs = Placement.choose(want, left);
      boolean wouldFit = Placement.couldEverFit(want, rooms);
      assertThat(theirs.isPresent()).as("%s still gets its place", want).isEqualTo(wouldFit);
      theirs.ifPresent(place ->
          left.replaceAll(room -> room.equals(place.room()) ? room.without(place.gpuIds()) : room));
    }
  }

  @Property
  void theSameRoomsGiveTheSameAnswer(
      @ForAll("rooms") List<Room> rooms, @ForAll("wants") List<Want> ahead) {
    assertThat(Placement.chooseInTurn(ahead, want(2), rooms))
        .isEqualTo(Placement.chooseInTurn(ahead, want(2), rooms));
  }

  @Example
  void nothingIsRentedForMoreThanTheLeaseCosts() {
    long asked = OFFER.pricePerGpuHour().micros();
    Room own = new Room(OFFER, "node", List.of());
    Room market = new Room(OFFER, "", List.of("a"));
    assertThat(asked).isPositive();
    assertThat(Placement.affordable(List.of(own, market), asked)).containsExactly(own, market);
    assertThat(Placement.affordable(List.of(own, market), asked - 1)).containsExactly(own);
  }

  @Example
  void whatCanBeHadNowSaysThePrice() {
    long asked = OFFER.pricePerGpuHour().micros();
    Offer dear =
        new Offer(
            "dear",
            OFFER.provider(),
            OFFER.region(),
            OFFER.gpu(),
            OFFER.gpuCount(),
            OFFER.gpuCountMost(),
            OFFER.tier(),
            new Money(asked + 1, "USD"),
            OFFER.perGpu(),
            OFFER.assurance(),
            OFFER.seenAt());
    Room taken = new Room(OFFER, "cheap", List.of());
    Room free = new Room(dear, "dear", List.of("a"));
    assertThat(Placement.cheapest(want(1), List.of(taken, free))).contains(asked + 1);
    assertThat(Placement.cheapest(want(2), List.of(taken, free))).contains(asked);
  }

  @Property
  void aSpotWantHasRoomWhereWeCanTakeItBack(@ForAll("rooms") List<Room> rooms) {
    Want spot = new Want("", "H200", 2, Optional.empty(), Tier.SPOT);
    assertThat(Placement.choose(spot, rooms)).isEqualTo(Placement.choose(want(2), rooms));
  }

  @Property
  void anotherModelTierOrRegionNeverFits(@ForAll("rooms") List<Room> rooms) {
    assertThat(Placement.choose(new Want("", "H100", 1, Optional.empty(), Tier.ON_DEMAND), rooms))
        .isEmpty();
    List<Room> ofAMarket =
        rooms.stream().map(room -> new Room(OFFER, "", room.freeGpuIds())).toList();
    assertThat(Placement.choose(new Want("", "H200", 1, Optional.empty(), Tier.SPOT), ofAMarket))
        .isEmpty();
    assertThat(
            Placement.choose(
                new Want("", "H200", 1, Optional.of(new Region("elsewhere")), Tier.ON_DEMAND),
                rooms))
        .isEmpty();
  }
}
