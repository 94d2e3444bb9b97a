package gpuaas.queue;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.base.Standing;
import gpuaas.db.Tx;
import gpuaas.events.Event;
import gpuaas.events.EventStore;
import gpuaas.lease.Desk;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState;
import gpuaas.ledger.LedgerRules;
import gpuaas.ledger.LedgerStore;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The queue over a real database. */
class QueueTest {

  private Desk desk;

  @BeforeEach
  void open() {
    desk = new Desk(LedgerRules.standard(), 2, 4);
  }

  @AfterEach
  void close() {
    desk.close();
  }

  private Queue queue(java.util.Queue<UUID> woken) {
    return new Queue(
        desk.database, Set.of(), QueueRules.standard(), (tx, lease) -> woken.add(lease));
  }

  private List<UUID> request(int leases) {
    List<UUID> all = new ArrayList<>();
    for (int i = 0; i < leases; i++) {
      all.add(desk.request(1, Tier.ON_DEMAND));
      desk.clock.advance(Duration.ofMillis(1));
    }
    return all;
  }

  private int held() {
    return desk.database.read(
        tx -> tx.query("select count(*)::int from gpu_claim").mapTo(Integer.class).one());
  }

  @Test
  void oneLookPlacesAllThatFitInTheirOrderAndWakesThemAlone() {
    List<UUID> leases = request(12);
    java.util.Queue<UUID> woken = new ConcurrentLinkedQueue<>();
    Queue.Look look = queue(woken).look(Desk.MODEL, desk.clock.instant());
    assertThat(look.placed()).isEqualTo(8);
    // The one after them looks again, for what became free meanwhile.
    assertThat(new HashSet<>(woken)).isEqualTo(new HashSet<>(leases.subList(0, 9)));
    assertThat(held()).isEqualTo(8);
  }

  @Test
  void severalServersNeverPlaceMoreThanThereIs() throws Exception {
    request(12);
    java.util.Queue<UUID> woken = new ConcurrentLinkedQueue<>();
    try (ExecutorService servers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Queue.Look>> looks = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        looks.add(servers.submit(() -> queue(woken).look(Desk.MODEL, desk.clock.instant())));
      }
      int placed = 0;
      for (Future<Queue.Look> look : looks) {
        placed += look.get().placed();
      }
      assertThat(placed).isEqualTo(8);
    }
    assertThat(held()).isEqualTo(8);
  }

  @Test
  void whatIsHeldForALeaseWhoseServerDiedIsTakenByTheNextThatLooks() {
    UUID lease = request(1).getFirst();
    var _ = queue(new ConcurrentLinkedQueue<>()).look(Desk.MODEL, desk.clock.instant());
    assertThat(desk.lease(lease).state()).isInstanceOf(LeaseState.Waiting.class);
    desk.clock.advance(Duration.ofSeconds(10));
    java.util.Queue<UUID> woken = new ConcurrentLinkedQueue<>();
    queue(woken).lookAround(desk.clock.instant());
    assertThat(woken).containsExactly(lease);
    desk.stepTo(lease, "running");
    assertThat(held()).isEqualTo(1);
  }

  @Test
  void whoIsRenamedWhileGpusAreHeldForHimGivesThemBackAndIsPlacedAgain() {
    UUID lease = request(1).getFirst();
    var _ = queue(new ConcurrentLinkedQueue<>()).look(Desk.MODEL, desk.clock.instant());
    desk.database.run(tx ->
        desk.parts.leases().rename(tx, Desk.caller(Standing.OWNER), lease, Optional.of("other")));
    assertThat(held()).isZero();
    desk.stepTo(lease, "running");
    assertThat(held()).isEqualTo(1);
  }

  @Test
  void aDeclinedOneIsNotPlacedByOthers() {
    List<UUID> leases = request(2);
    desk.database.run(tx ->
        tx.update("update lease set attempt = 1 where id = :id")
            .bind("id", leases.getFirst())
            .execute());
    java.util.Queue<UUID> woken = new ConcurrentLinkedQueue<>();
    Queue queue = queue(woken);
    assertThat(queue.look(Desk.MODEL, desk.clock.instant()).placed()).isEqualTo(1);
    assertThat(queue.look(Desk.MODEL, leases.getFirst(), desk.clock.instant()).placed())
        .isEqualTo(1);
  }

  @Test
  void manyWhoAreLookedAtAndStoppedAtOnceShareTransactionsAndGetTheirOwnLife() throws Exception {
    // Shows that whoever computed from an old look loses, alone, whatever it was written with: each
    // lease has each event once and in its order, and nothing of it is left.
    List<UUID> leases = request(12);
    try (ExecutorService servers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> all = new ArrayList<>();
      leases.forEach(lease -> {
        all.add(servers.submit(() -> live(lease, () -> desk.step(lease))));
        all.add(servers.submit(() -> live(lease, () -> {})));
      });
      for (Future<?> one : all) {
        one.get();
      }
    }
    assertThat(held()).isZero();
    assertThat(left("placement_grant")).isZero();
    assertThat(left("hold where closed_at is null")).isZero();
    assertThat(desk.database.read(LedgerStore::differences)).isEmpty();
    assertThat(desk.machine.list("desk")).isEmpty();
    for (UUID lease : leases) {
      assertThat(
              desk.database.read(tx -> EventStore.ofLease(tx, lease, 100)).stream()
                  .map(Event::type))
          .containsExactly(
              Event.Type.LEASE_REQUESTED,
              Event.Type.LEASE_PLACED,
              Event.Type.LEASE_BOOTING,
              Event.Type.LEASE_RUNNING,
              Event.Type.LEASE_STOPPING,
              Event.Type.LEASE_ENDED);
    }
  }

  private int left(String what) {
    return desk.database.read(
        tx -> tx.query("select count(*)::int from " + what).mapTo(Integer.class).one());
  }

  /** Steps as long as it lives, and stops it when it runs. */
  private void live(UUID lease, Runnable step) {
    long patience = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (System.nanoTime() < patience) {
      switch (desk.lease(lease).state()) {
        case LeaseState.Running _ -> stop(lease);
        case LeaseState.Ended _ -> {
          return;
        }
        default -> {
          step.run();
          desk.clock.advance(Duration.ofMillis(10));
        }
      }
    }
    throw new AssertionError("never ended: " + desk.lease(lease));
  }

  private void stop(UUID lease) {
    Function<Tx, Lease> change =
        tx -> desk.parts.leases().stop(tx, Desk.caller(Standing.OWNER), lease, EndReason.ASKED);
    var _ = desk.database.together(change, () -> desk.database.tx(change));
  }
}
