package gpuaas.queue;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.catalog.Gang;
import gpuaas.queue.Line.Start;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** What a line promises, over random histories of random machines. */
class LinePropertyTest {

  private static final int NODES = 3;
  private static final int GPUS = 4;

  /** A lease, or a gang of such. */
  private record Asked(int members, int count, Optional<Duration> term) {}

  @Provide
  Arbitrary<List<List<Asked>>> arrivals() {
    return asked(true).list().ofMaxSize(5).list().ofMinSize(1).ofMaxSize(5);
  }

  @Provide
  Arbitrary<List<List<Asked>>> arrivalsThatEnd() {
    return asked(false).list().ofMaxSize(5).list().ofMinSize(1).ofMaxSize(5);
  }

  private static Arbitrary<Asked> asked(boolean someForEver) {
    Arbitrary<Optional<Duration>> term =
        Arbitraries.integers().between(1, 9).map(hours -> Optional.of(Duration.ofHours(hours)));
    Arbitrary<Optional<Duration>> any =
        someForEver
            ? Arbitraries.frequencyOf(
                net.jqwik.api.Tuple.of(4, term),
                net.jqwik.api.Tuple.of(1, Arbitraries.just(Optional.<Duration>empty())))
            : term;
    return Combinators.combine(
            Arbitraries.frequency(
                net.jqwik.api.Tuple.of(4, 1),
                net.jqwik.api.Tuple.of(1, 2),
                net.jqwik.api.Tuple.of(1, 3)),
            Arbitraries.integers().between(1, GPUS),
            any)
        .as(Asked::new);
  }

  /** So many rounds of arrivals, each after the next end. */
  private static List<List<Waiter>> waiters(List<List<Asked>> rounds) {
    List<List<Waiter>> all = new ArrayList<>();
    int id = 1;
    for (List<Asked> round : rounds) {
      List<Waiter> waiters = new ArrayList<>();
      for (Asked asked : round) {
        String name = "gang-" + id;
        for (int index = 0; index < asked.members(); index++) {
          Optional<Gang> gang =
              asked.members() == 1
                  ? Optional.empty()
                  : Optional.of(new Gang(name, index, asked.members()));
          waiters.add(Yard.waiter(id++, asked.count(), asked.term(), gang));
        }
      }
      all.add(waiters);
    }
    return all;
  }

  // The yard itself refuses a start on GPUs that are not free.
  @Property(tries = 400)
  void nobodyGetsWhatIsHeldAndAGangBeginsTogetherOrNotAtAll(
      @ForAll("arrivals") List<List<Asked>> rounds) {
    Yard yard = new Yard(NODES, GPUS);
    for (List<Waiter> round : waiters(rounds)) {
      yard.waiting.addAll(round);
      check(yard.look());
      if (yard.next()) {
        check(yard.look());
      }
    }
  }

  private static void check(List<Start> starts) {
    Map<String, Set<Integer>> gangs = new HashMap<>();
    for (Start start : starts) {
      start
          .waiter()
          .gang()
          .ifPresent(
              gang -> gangs.computeIfAbsent(gang.name(), _ -> new HashSet<>()).add(gang.index()));
    }
    for (Start start : starts) {
      start
          .waiter()
          .gang()
          .ifPresent(gang -> assertThat(gangs.get(gang.name())).hasSize(gang.size()));
    }
  }

  @Property(tries = 400)
  void aGangThatIsNotCompleteGetsNothingAndStandsInNobodysWay(
      @ForAll("arrivals") List<List<Asked>> rounds) {
    Yard yard = new Yard(NODES, GPUS);
    yard.waiting.add(Yard.waiter(0, 1, Optional.empty(), Optional.of(new Gang("half", 0, 2))));
    Yard without = new Yard(NODES, GPUS);
    for (List<Waiter> round : waiters(rounds)) {
      yard.waiting.addAll(round);
      without.waiting.addAll(round);
      assertThat(yard.look()).isEqualTo(without.look());
    }
  }

  /** For each who is at the head: he begins no later than if nobody had come behind him. */
  @Property(tries = 600)
  void whoIsAtTheHeadBeginsNoLaterForThoseBehind(@ForAll("arrivals") List<List<Asked>> rounds) {
    Yard yard = new Yard(NODES, GPUS);
    List<List<Waiter>> all = waiters(rounds);
    for (List<Waiter> round : all) {
      yard.waiting.addAll(round);
      List<Waiter> head = head(yard);
      if (!head.isEmpty()) {
        int last = yard.waiting.indexOf(head.getLast());
        List<Waiter> before = List.copyOf(yard.waiting.subList(0, last + 1));
        Optional<Instant> alone = start(yard.copy(before), head.getFirst().id());
        Optional<Instant> among = start(yard.copy(List.copyOf(yard.waiting)), head.getFirst().id());
        alone.ifPresent(at -> {
          assertThat(among).as("%s", head).isPresent();
          assertThat(among.orElseThrow()).as("%s", head).isBeforeOrEqualTo(at);
        });
      }
      yard.look();
      yard.next();
    }
  }

  /** Who is the first to wait, with all of his gang. */
  private static List<Waiter> head(Yard yard) {
    Yard trial = yard.copy(List.copyOf(yard.waiting));
    trial.look();
    Optional<Waiter> first = trial.waiting.stream().findFirst();
    return first
        .map(waiter ->
            waiter.gang().isEmpty()
                ? List.of(waiter)
                : trial.waiting.stream()
                    .filter(one ->
                        one.gang().map(g -> g.name()).equals(first.get().gang().map(g -> g.name())))
                    .toList())
        .orElse(List.of());
  }

  private static Optional<Instant> start(Yard yard, UUID who) {
    yard.look();
    while (!yard.started.containsKey(who) && yard.next()) {
      yard.look();
    }
    return Optional.ofNullable(yard.started.get(who));
  }

  @Property(tries = 400)
  void everybodyBeginsInTheEnd(@ForAll("arrivalsThatEnd") List<List<Asked>> rounds) {
    Yard yard = new Yard(NODES, GPUS);
    Set<UUID> all = new HashSet<>();
    for (List<Waiter> round : waiters(rounds)) {
      yard.waiting.addAll(round);
      round.forEach(waiter -> all.add(waiter.id()));
      yard.look();
      yard.next();
    }
    yard.look();
    while (yard.next()) {
      yard.look();
    }
    Set<UUID> could =
        all.stream()
            .filter(id -> yard.waiting.stream().noneMatch(w -> w.id().equals(id) && !fits(yard, w)))
            .collect(Collectors.toSet());
    assertThat(yard.started.keySet()).isEqualTo(could);
  }

  /** False for a gang that is larger than all machines together. */
  private static boolean fits(Yard yard, Waiter waiter) {
    int each = GPUS / waiter.want().gpuCount();
    return waiter.gang().map(gang -> gang.size() <= each * NODES).orElse(true);
  }
}
