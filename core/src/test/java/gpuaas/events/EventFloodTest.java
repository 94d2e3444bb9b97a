package gpuaas.events;

import static gpuaas.events.EventStage.happened;
import static gpuaas.events.EventStage.lease;
import static gpuaas.events.EventStage.tenant;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.base.Caller;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.events.EventFeed.Filter;
import gpuaas.events.EventFeed.Part;
import gpuaas.events.EventSink.Fed;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ten thousand changes, two servers that relay, one of them killed again and again, and a receiver
 * that is away for a while: each event arrives at least once and in the order of its lease, and who
 * follows the feed sees each once, in the one order, without a gap.
 */
@Order(1)
class EventFloodTest {

  private static final int LEASES = 200;
  private static final int EVENTS_EACH = 50;
  private static final int ALL = LEASES * EVENTS_EACH;
  private static final int WRITERS = 4;
  private static final int KILLS = 3;
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Filter EVERYTHING = new Filter(Set.of(), Optional.empty());

  @TempDir Path folder;

  /** Tried for as long as it takes, so that whoever is away for a while misses no turn. */
  static WebhookRules rules() {
    return new WebhookRules(
        Collections.nCopies(1000, Duration.ofMillis(100)),
        Duration.ofSeconds(1),
        1000,
        32,
        8,
        Duration.ofMillis(20),
        5,
        10,
        Duration.ofHours(1),
        Duration.ofDays(30));
  }

  @Test
  void everyEventArrivesAndNobodyWhoFollowsSkipsOne() throws Exception {
    DatabaseSettings settings = TestDatabase.settings();
    try (Database database = Database.open(settings);
        Receiver receiver = new Receiver();
        EventStage stage = new EventStage(database, folder, rules()).start();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Caller owner = tenant(database);
      stage.endpoint(owner, receiver.url(), "requested", "running");
      Future<List<Event>> paging = threads.submit(() -> follow(stage.feed(), owner, 7));
      Future<List<Event>> following = threads.submit(() -> follow(stage.feed(), owner, 100));
      List<Future<?>> writers = write(threads, database, owner);
      try {
        killRelaysWhile(database, settings, receiver);
        for (Future<?> writer : writers) {
          writer.get();
        }
        Eventually.within(PATIENCE, "all are delivered", () -> allDelivered(database));
      } catch (Exception | AssertionError e) {
        threads.shutdownNow(); // who follows would wait for ever
        throw new AssertionError(relayed(database) + " are relayed", e);
      }
      List<Fed> fed = told(database, owner);
      assertThat(fed)
          .extracting(Fed::position)
          .containsExactlyElementsOf(LongStream.rangeClosed(1, ALL).boxed().toList());
      List<Event> told = fed.stream().map(Fed::event).toList();
      assertThat(paging.get()).as("who reads page by page").isEqualTo(told);
      assertThat(following.get()).as("who follows").isEqualTo(told);
      assertThat(inOrderOfTheirLease(told)).isTrue();
      arrived(receiver, told);
    }
  }

  /** Each in a transaction of its own; of each lease in order, as its version holds it. */
  private static List<Future<?>> write(ExecutorService threads, Database database, Caller owner) {
    List<Future<?>> writers = new ArrayList<>();
    for (int writer = 0; writer < WRITERS; writer++) {
      int first = writer;
      writers.add(
          threads.submit(() -> {
            List<UUID> own = new ArrayList<>();
            for (int i = first; i < LEASES; i += WRITERS) {
              own.add(lease(database, owner));
            }
            for (long sequence = 1; sequence <= EVENTS_EACH; sequence++) {
              for (UUID lease : own) {
                happened(database, owner, lease, sequence);
              }
            }
          }));
    }
    return writers;
  }

  /** Another server relays and delivers as well, and dies in the middle of it; so does its heir. */
  private void killRelaysWhile(Database database, DatabaseSettings settings, Receiver receiver)
      throws Exception {
    for (int kill = 1; kill <= KILLS; kill++) {
      Process server = FloodServer.start(settings, folder);
      int relayed = kill * ALL / (KILLS + 1);
      Eventually.within(PATIENCE, "some are relayed", () -> relayed(database) >= relayed);
      int status = kill == 2 ? 503 : 204; // away from the second kill to the third
      receiver.answering(status);
      server.destroyForcibly().waitFor();
      assertThat(server.exitValue()).as("killed, and had not ended before").isEqualTo(137);
    }
  }

  /** As a stream does: read, and wait to be woken when there is no more. */
  private static List<Event> follow(EventFeed feed, Caller owner, int atOnce)
      throws InterruptedException {
    List<Event> events = new ArrayList<>();
    Optional<String> at = Optional.empty();
    try (EventFeed.Following following = feed.follow(owner)) {
      while (events.size() < ALL) {
        Part part = feed.read(owner, at, EVERYTHING, atOnce);
        part.entries().forEach(entry -> events.add(entry.event()));
        at = Optional.of(part.next());
        if (!part.more() && events.size() < ALL) {
          assertThat(following.await(PATIENCE)).as("woken when there is more").isTrue();
        }
      }
    }
    return events;
  }

  private static void arrived(Receiver receiver, List<Event> told) {
    Map<String, UUID> leases = new HashMap<>();
    Map<UUID, List<String>> wanted = new HashMap<>();
    for (Event event : told) {
      leases.put(event.outsideId(), event.lease());
      wanted.computeIfAbsent(event.lease(), _ -> new ArrayList<>()).add(event.outsideId());
    }
    Map<UUID, LinkedHashSet<String>> came = new HashMap<>();
    for (Receiver.Received one : receiver.received()) {
      came.computeIfAbsent(leases.get(one.eventId()), _ -> new LinkedHashSet<>())
          .add(one.eventId());
    }
    assertThat(came.keySet()).isEqualTo(wanted.keySet());
    wanted.forEach((lease, ids) ->
        assertThat(came.get(lease)).as("of " + lease).containsExactlyElementsOf(ids));
  }

  private static boolean inOrderOfTheirLease(List<Event> events) {
    Map<UUID, Long> last = new HashMap<>();
    for (Event event : events) {
      if (event.sequence() != last.merge(event.lease(), 1L, Long::sum)) {
        return false;
      }
    }
    return true;
  }

  private static List<Fed> told(Database database, Caller owner) {
    return database.read(
        tx -> EventStore.slice(tx, owner.project(), 0, EVERYTHING, ALL + 1).events());
  }

  /** Asked again and again, so by looks into an index. */
  private static int relayed(Database database) {
    return number(
        database, "select coalesce(max(position), 0) from event where position is not null");
  }

  private static boolean allDelivered(Database database) {
    return relayed(database) == ALL
        && number(
                database,
                "select count(*) from (select 1 from webhook_delivery where state = 'pending' limit"
                    + " 1) one")
            == 0;
  }

  private static int number(Database database, String sql) {
    return database.read(tx -> tx.query(sql).mapTo(Integer.class).one());
  }
}
