package gpuaas.queue;

import static gpuaas.queue.Yard.waiter;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.catalog.Gang;
import gpuaas.queue.Line.Start;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Turns, step by step. */
class LineTest {

  private static final Optional<Duration> FOR_EVER = Optional.empty();

  private static Optional<Duration> hours(int hours) {
    return Optional.of(Duration.ofHours(hours));
  }

  private static List<Integer> begun(List<Start> starts) {
    return starts.stream()
        .map(start -> (int) start.waiter().id().getLeastSignificantBits())
        .toList();
  }

  @Test
  void aShortOneBeginsBehindTheHeadAndALongOneDoesNot() {
    // One machine with four GPUs, three of them held for five hours; the head wants all four.
    Yard yard = new Yard(1, 4);
    yard.waiting.add(waiter(1, 3, hours(5), Optional.empty()));
    yard.look();
    yard.waiting.addAll(
        List.of(
            waiter(2, 4, hours(1), Optional.empty()),
            waiter(3, 1, FOR_EVER, Optional.empty()),
            waiter(4, 1, hours(6), Optional.empty()),
            waiter(5, 1, hours(5), Optional.empty())));
    assertThat(begun(yard.look())).containsExactly(5);
    assertThat(yard.next()).isTrue();
    assertThat(begun(yard.look())).containsExactly(2);
  }

  @Test
  void whatIsLeftOverWhenTheHeadBeginsIsForAnybody() {
    // Two of four are held for an hour; the head wants three, so one is left over then.
    Yard yard = new Yard(1, 4);
    yard.waiting.add(waiter(1, 2, hours(1), Optional.empty()));
    yard.look();
    yard.waiting.addAll(
        List.of(
            waiter(2, 3, hours(1), Optional.empty()),
            waiter(3, 1, FOR_EVER, Optional.empty()),
            waiter(4, 1, FOR_EVER, Optional.empty())));
    assertThat(begun(yard.look())).containsExactly(3);
  }

  @Test
  void nobodyPassesWhenItIsNotKnownWhenTheHeadBegins() {
    Yard yard = new Yard(1, 4);
    yard.waiting.add(waiter(1, 3, FOR_EVER, Optional.empty()));
    yard.look();
    yard.waiting.addAll(
        List.of(
            waiter(2, 4, hours(1), Optional.empty()), waiter(3, 1, hours(1), Optional.empty())));
    assertThat(yard.look()).isEmpty();
  }

  @Test
  void membersOfAGangAreSpreadWhileThereIsRoom() {
    Yard yard = new Yard(2, 4);
    for (int index = 0; index < 3; index++) {
      yard.waiting.add(waiter(1 + index, 2, FOR_EVER, Optional.of(new Gang("g", index, 3))));
    }
    List<Start> starts = yard.look();
    assertThat(starts).hasSize(3);
    assertThat(starts.stream().map(start -> start.choice().room().node()).distinct()).hasSize(2);
  }

  @Test
  void aGangThatDoesNotFitHoldsItsPlaceInTheLine() {
    // Two machines, one of them full for an hour: a gang of two whole ones waits, and nobody with a
    // longer term passes.
    Yard yard = new Yard(2, 4);
    yard.waiting.add(waiter(1, 4, hours(1), Optional.empty()));
    yard.look();
    yard.waiting.addAll(
        List.of(
            waiter(2, 4, hours(1), Optional.of(new Gang("g", 0, 2))),
            waiter(3, 4, hours(1), Optional.of(new Gang("g", 1, 2))),
            waiter(4, 1, hours(2), Optional.empty()),
            waiter(5, 1, hours(1), Optional.empty())));
    assertThat(begun(yard.look())).containsExactly(5);
    yard.next();
    assertThat(begun(yard.look())).containsExactly(2, 3);
  }

  @Test
  void whoWasDeclinedKeepsTheTurnAndBeginsOnlyWhenHeAsks() {
    Yard yard = new Yard(1, 1);
    Waiter declined =
        new Waiter(
            new UUID(1, 1),
            Yard.OWNER,
            Yard.OWNER,
            waiter(1, 1, FOR_EVER, Optional.empty()).want(),
            1,
            Yard.START,
            FOR_EVER,
            1,
            Optional.empty());
    yard.waiting.addAll(List.of(declined, waiter(2, 1, FOR_EVER, Optional.empty())));
    assertThat(yard.look()).isEmpty();
  }
}
