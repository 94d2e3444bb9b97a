package gpuaas.capacity;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.catalog.OfferKey;
import gpuaas.catalog.Want;
import gpuaas.spi.Gpu;
import gpuaas.spi.Offer;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** The index gives the answers of the simple definitions, which look at every room. */
class FreeIndexPropertyTest {

  private static final int GPUS = 8;
  private static final Gpu MODEL = Gpu.called("RTX 4090", 24_564);

  @Provide
  Arbitrary<List<Room>> rooms() {
    Arbitrary<Room> own =
        Combinators.combine(
                Arbitraries.integers().between(0, GPUS),
                Arbitraries.integers().between(1, 6),
                Arbitraries.of("near", "far"))
            .as((free, node, provider) -> room(provider, "own", "node-" + node, GPUS, 8, free));
    Arbitrary<Room> market =
        Combinators.combine(
                Arbitraries.integers().between(1, 4),
                Arbitraries.integers().between(1, 9),
                Arbitraries.of(true, false))
            .as((count, offer, free) ->
                room("market", count + "-" + offer, "", count, count, free ? count : 0));
    return Arbitraries.frequencyOf(
            net.jqwik.api.Tuple.of(3, own), net.jqwik.api.Tuple.of(1, market))
        .list()
        .ofMaxSize(9)
        .map(FreeIndexPropertyTest::oneOfEach);
  }

  private static List<Room> oneOfEach(List<Room> rooms) {
    List<Room> one = new ArrayList<>();
    for (Room room : rooms) {
      if (one.stream()
          .noneMatch(other ->
              OfferKey.of(other.offer()).equals(OfferKey.of(room.offer()))
                  && other.node().equals(room.node()))) {
        one.add(room);
      }
    }
    return one;
  }

  private static Room room(
      String provider, String offer, String node, int most, int price, int free) {
    Offer sample = TestOffers.of(provider, offer, MODEL, most, price + ".50");
    Offer whole =
        node.isEmpty()
            ? sample
            : new Offer(
                offer,
                provider,
                new Region(provider.equals("near") ? "us-near-1" : "us-far-1"),
                MODEL,
                1,
                most,
                Tier.ON_DEMAND,
                sample.pricePerGpuHour(),
                sample.perGpu(),
                sample.assurance(),
                sample.seenAt());
    return new Room(
        whole,
        node,
        IntStream.range(0, free).mapToObj(gpu -> provider + offer + node + "/" + gpu).toList());
  }

  @Provide
  Arbitrary<List<Want>> wants() {
    return Combinators.combine(
            Arbitraries.integers().between(1, GPUS + 1),
            Arbitraries.of("", "us-near-1", "us-far-1"),
            Arbitraries.of(Tier.values()))
        .as((count, region, tier) ->
            new Want(
                "",
                MODEL.model(),
                count,
                region.isEmpty() ? Optional.empty() : Optional.of(new Region(region)),
                tier))
        .list()
        .ofMaxSize(12);
  }

  @Property
  void oneAfterTheOtherIsPlacedAsWhenEveryRoomIsLookedAt(
      @ForAll("rooms") List<Room> rooms, @ForAll("wants") List<Want> wants) {
    FreeIndex index = new FreeIndex(rooms);
    List<Room> left = new ArrayList<>(rooms);
    for (Want want : wants) {
      Optional<Placement.Choice> simple = Placement.choose(want, left);
      Optional<Placement.Choice> indexed =
          index.find(want).map(slot -> index.take(slot, want.gpuCount()));
      assertThat(indexed).isEqualTo(simple);
      simple.ifPresent(choice ->
          left.replaceAll(
              room -> room.equals(choice.room()) ? room.without(choice.gpuIds()) : room));
      assertThat(index.free()).isEqualTo(left.stream().mapToInt(r -> r.freeGpuIds().size()).sum());
    }
  }

  @Property
  void turnsAreAsWhenEveryRoomIsLookedAt(
      @ForAll("rooms") List<Room> rooms, @ForAll("wants") List<Want> wants) {
    if (wants.isEmpty()) {
      return;
    }
    Want last = wants.getLast();
    List<Want> ahead = wants.subList(0, wants.size() - 1);
    assertThat(Placement.chooseInTurn(ahead, last, rooms)).isEqualTo(inTurn(ahead, last, rooms));
  }

  /** The definition: a want that waits keeps from others what it could use. */
  private static Optional<Placement.Choice> inTurn(List<Want> ahead, Want want, List<Room> rooms) {
    List<Room> left = new ArrayList<>(rooms);
    for (Want earlier : ahead) {
      Optional<Placement.Choice> choice = Placement.choose(earlier, left);
      if (choice.isPresent()) {
        left.replaceAll(
            room -> room.equals(choice.get().room()) ? room.without(choice.get().gpuIds()) : room);
      } else if (Placement.couldEverFit(earlier, rooms)) {
        left.removeIf(room -> Placement.suits(earlier, room));
      }
    }
    return Placement.choose(want, left);
  }
}
