package gpuaas.events;

import static gpuaas.events.EventStage.happened;
import static gpuaas.events.EventStage.lease;
import static gpuaas.events.EventStage.tenant;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.base.Caller;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.events.EventFeed.Entry;
import gpuaas.events.EventFeed.Filter;
import gpuaas.events.EventFeed.Part;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every event is told, in order for each lease, and no reader of the feed skips one. */
class EventRelayTest {

  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Filter ALL = new Filter(Set.of(), Optional.empty());

  @TempDir Path folder;

  @Test
  void anEventThatIsCommittedLateIsNotSkipped() throws Exception {
    // The first transaction takes the lower number, the second commits before it.
    try (Database database = TestDatabase.open();
        EventStage stage = new EventStage(database, folder, EventStage.quick()).start()) {
      Caller owner = tenant(database);
      Event early = EventStage.event(owner, lease(database, owner), 1);
      CountDownLatch written = new CountDownLatch(1);
      CountDownLatch mayCommit = new CountDownLatch(1);
      Thread slow =
          Thread.ofVirtual()
              .start(() ->
                  database.run(tx -> {
                    EventStore.append(tx, early);
                    written.countDown();
                    await(mayCommit);
                  }));
      await(written);
      Event late = happened(database, owner, lease(database, owner), 1);
      Eventually.within(PATIENCE, "the late one is told", () -> read(stage, owner).size() == 1);
      Part first = stage.feed().read(owner, Optional.empty(), ALL, 10);
      assertThat(first.entries().getFirst().event()).isEqualTo(late);
      mayCommit.countDown();
      slow.join();
      Eventually.within(PATIENCE, "both are told", () -> read(stage, owner).size() == 2);
      Part next = stage.feed().read(owner, Optional.of(first.next()), ALL, 10);
      assertThat(next.entries()).extracting(Entry::event).containsExactly(early);
    }
  }

  @Test
  void whatAnotherServerToldWakesWhoFollowsHere() throws Exception {
    // Shows that nobody is left waiting because this server's own events, of another project, come
    // right after those that another server told.
    try (Database database = TestDatabase.open();
        EventStage here = new EventStage(database, folder, EventStage.quick());
        EventStage elsewhere = new EventStage(database, folder, EventStage.quick())) {
      Caller owner = tenant(database);
      Caller other = tenant(database);
      happened(database, owner, lease(database, owner), 1);
      assertThat(elsewhere.relay().relay(0)).isEqualTo(1);
      happened(database, other, lease(database, other), 1);
      try (EventFeed.Following following = here.feed().follow(owner)) {
        assertThat(here.relay().relay(0)).isEqualTo(1);
        assertThat(following.await(PATIENCE)).isTrue();
        assertThat(read(here, owner)).hasSize(1);
        happened(database, other, lease(database, other), 1);
        assertThat(here.relay().relay(0)).isEqualTo(1);
        assertThat(following.await(Duration.ZERO)).as("by what is not theirs").isFalse();
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static List<Event> read(EventStage stage, Caller owner) {
    List<Event> events = new ArrayList<>();
    Optional<String> after = Optional.empty();
    while (true) {
      Part part = stage.feed().read(owner, after, ALL, 200);
      part.entries().forEach(entry -> events.add(entry.event()));
      if (!part.more()) {
        return events;
      }
      after = Optional.of(part.next());
    }
  }

  @Test
  void twoServersUnderLoadTellEveryEventOnceAndInOrder() throws Exception {
    List<Event> told = new CopyOnWriteArrayList<>();
    EventSink keeping =
        (tx, events) ->
            tx.afterCommit(() -> told.addAll(events.stream().map(EventSink.Fed::event).toList()));
    try (Database database = TestDatabase.open();
        EventStage one = new EventStage(database, folder, EventStage.quick(), keeping).start();
        EventStage _ = new EventStage(database, folder, EventStage.quick(), keeping).start()) {
      Caller owner = tenant(database);
      List<UUID> leases = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        leases.add(lease(database, owner));
      }
      List<Event> followed = new ArrayList<>();
      Thread reader =
          Thread.ofVirtual()
              .start(() -> {
                Optional<String> after = Optional.empty();
                while (followed.size() < 2000) {
                  Part part = one.feed().read(owner, after, ALL, 37);
                  part.entries().forEach(entry -> followed.add(entry.event()));
                  after = Optional.of(part.next());
                }
              });
      try (var writers = Executors.newVirtualThreadPerTaskExecutor()) {
        for (UUID lease : leases) {
          writers.submit(() -> {
            for (long sequence = 1; sequence <= 50; sequence++) {
              happened(database, owner, lease, sequence);
            }
          });
        }
      }
      Eventually.within(PATIENCE, "all are told", () -> told.size() >= 2000);
      reader.join(PATIENCE);
      assertThat(told).doesNotHaveDuplicates().hasSize(2000);
      assertThat(followed).as("who follows sees each once").doesNotHaveDuplicates().hasSize(2000);
      assertThat(read(one, owner)).isEqualTo(followed);
      for (UUID lease : leases) {
        assertThat(followed.stream().filter(event -> event.lease().equals(lease)))
            .extracting(Event::sequence)
            .isSorted()
            .hasSize(50);
      }
    }
  }

  @Test
  void anEventThatNoSinkCanTakeHoldsTheOthersUpForAWhileOnly() throws Exception {
    List<Long> told = new CopyOnWriteArrayList<>();
    EventSink choking =
        (tx, events) -> {
          if (events.stream().anyMatch(fed -> fed.event().sequence() == 2)) {
            throw new IllegalStateException("on purpose");
          }
          tx.afterCommit(() -> events.forEach(fed -> told.add(fed.event().sequence())));
        };
    try (Database database = TestDatabase.open();
        EventStage stage = new EventStage(database, folder, EventStage.quick(), choking)) {
      Caller owner = tenant(database);
      UUID lease = lease(database, owner);
      for (long sequence = 1; sequence <= 4; sequence++) {
        happened(database, owner, lease, sequence);
      }
      stage.start();
      Eventually.within(PATIENCE, "the others are told", () -> told.size() == 3);
      assertThat(told).containsExactly(1L, 3L, 4L);
      assertThat(read(stage, owner)).as("the feed has all").hasSize(4);
    }
  }

  @Test
  void theFeedIsTheCallersAndCanBeFiltered() throws Exception {
    try (Database database = TestDatabase.open();
        EventStage stage = new EventStage(database, folder, EventStage.quick()).start()) {
      Caller owner = tenant(database);
      Caller stranger = tenant(database);
      UUID one = lease(database, owner);
      UUID two = lease(database, owner);
      happened(database, stranger, lease(database, stranger), 1);
      for (long sequence = 1; sequence <= 3; sequence++) {
        happened(database, owner, one, sequence);
        happened(database, owner, two, sequence);
      }
      Eventually.within(PATIENCE, "all are told", () -> read(stage, owner).size() == 6);
      Filter running = new Filter(Set.of(Event.Type.LEASE_RUNNING), Optional.empty());
      Part part = stage.feed().read(owner, Optional.empty(), running, 3);
      assertThat(part.entries()).hasSize(3);
      assertThat(part.more()).isTrue();
      Part rest = stage.feed().read(owner, Optional.of(part.next()), running, 3);
      assertThat(rest.entries()).hasSize(1);
      assertThat(rest.more()).isFalse();
      Part none = stage.feed().read(owner, Optional.of(rest.next()), running, 3);
      assertThat(none.entries()).isEmpty();
      assertThat(none.next()).isEqualTo(rest.next());
      Filter ofOne = new Filter(Set.of(), Optional.of(one));
      assertThat(stage.feed().read(owner, Optional.empty(), ofOne, 10).entries())
          .extracting(entry -> entry.event().lease())
          .containsExactly(one, one, one);
      assertThat(stage.feed().read(stranger, Optional.empty(), ofOne, 10).entries()).isEmpty();
      assertThat(stage.feed().end(owner))
          .isEqualTo(stage.feed().read(owner, Optional.empty(), ALL, 10).next());
      String forged = "A".repeat(22);
      for (String cursor : List.of("", "1", forged, part.next() + "A", "*".repeat(22))) {
        assertThatThrownBy(() -> stage.feed().read(owner, Optional.of(cursor), ALL, 3))
            .as(cursor)
            .isInstanceOf(Refused.class);
      }
    }
  }

  @Test
  void whoeverWaitsIsWokenByWhatConcernsThem() throws Exception {
    try (Database database = TestDatabase.open();
        EventStage here = new EventStage(database, folder, EventStage.quick()).start();
        EventStage elsewhere = new EventStage(database, folder, EventStage.quick())) {
      Caller owner = tenant(database);
      UUID lease = lease(database, owner);
      try (EventFeed.Following following = here.feed().follow(owner)) {
        happened(database, owner, lease, 1);
        elsewhere.relay().relay(0);
        following.await(PATIENCE);
        Eventually.within(PATIENCE, "it is there", () -> read(here, owner).size() == 1);
      }
    }
  }
}
