package gpuaas.events;

import static gpuaas.events.EventStage.happened;
import static gpuaas.events.EventStage.lease;
import static gpuaas.events.EventStage.rules;
import static gpuaas.events.EventStage.tenant;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.base.Caller;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import gpuaas.events.Receiver.Received;
import gpuaas.events.Webhook.Delivery;
import gpuaas.events.Webhook.Delivery.State;
import gpuaas.spi.Eventually;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * When attempts are made: in order for each lease, by nobody's leave but their own, after a
 * restart.
 */
class WebhookReconcilerTest {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration LONG = Duration.ofHours(1);

  @TempDir Path folder;

  private static void eventually(String what, Supplier<Boolean> condition) {
    Eventually.within(PATIENCE, what, condition);
  }

  @Test
  void theStandardScheduleIsTheContractsAndLastsThreeDays() {
    WebhookRules rules = WebhookRules.standard();
    assertThat(rules.retryAfter().subList(0, 8))
        .extracting(Duration::toSeconds)
        .containsExactly(0L, 10L, 30L, 120L, 600L, 1800L, 7200L, 21600L);
    Duration all = rules.retryAfter().stream().reduce(Duration.ZERO, Duration::plus);
    assertThat(all).isGreaterThan(Duration.ofDays(3));
    List<Duration> pauses = new ArrayList<>();
    for (long seed = 0; seed < 1000; seed++) {
      pauses.add(rules.pause(1, seed * 7919));
    }
    assertThat(pauses)
        .allSatisfy(
            pause -> assertThat(pause).isBetween(Duration.ofSeconds(10), Duration.ofSeconds(12)))
        .as("they do not all come at once")
        .anySatisfy(pause -> assertThat(pause).isLessThan(Duration.ofMillis(10_300)))
        .anySatisfy(pause -> assertThat(pause).isGreaterThan(Duration.ofMillis(11_700)));
  }

  @Test
  void eventsOfALeaseArriveInOrderAlthoughTheFirstHasToBeTriedAgain() throws Exception {
    try (Database database = TestDatabase.open();
        Receiver receiver = new Receiver();
        EventStage stage = new EventStage(database, folder, EventStage.quick()).start()) {
      // The first attempt at every event of an odd sequence fails.
      receiver.answering(one ->
          one.body().matches(".*\"sequence\": [13579],.*") && timesReceived(receiver, one) < 2
              ? 500
              : 200);
      Caller owner = tenant(database);
      stage.endpoint(owner, receiver.url(), "requested", "running");
      List<UUID> leases = List.of(lease(database, owner), lease(database, owner));
      for (long sequence = 1; sequence <= 6; sequence++) {
        for (UUID lease : leases) {
          happened(database, owner, lease, sequence);
        }
      }
      eventually("all arrived", () -> receiver.received().size() == 18);
      for (UUID lease : leases) {
        List<String> order =
            receiver.received().stream()
                .filter(one -> one.body().contains(lease.toString()))
                .map(one -> one.body().replaceAll(".*\"sequence\": ([0-9]+),.*", "$1"))
                .toList();
        assertThat(order).containsExactly("1", "1", "2", "3", "3", "4", "5", "5", "6");
      }
    }
  }

  private static long timesReceived(Receiver receiver, Received one) {
    return receiver.received().stream().filter(r -> r.eventId().equals(one.eventId())).count();
  }

  @Test
  void anEventThatFailsTooOftenHoldsTheLaterOnesBackNoLonger() throws Exception {
    try (Database database = TestDatabase.open();
        Receiver receiver = new Receiver();
        EventStage stage =
            new EventStage(
                    database,
                    folder,
                    rules(Duration.ZERO, Duration.ofMillis(10), Duration.ofMillis(10), LONG))
                .start()) {
      receiver.answering(one -> one.body().contains("\"sequence\": 1,") ? 500 : 200);
      Caller owner = tenant(database);
      UUID lease = lease(database, owner);
      UUID id = stage.endpoint(owner, receiver.url(), "requested", "running").webhook().id();
      happened(database, owner, lease, 1);
      happened(database, owner, lease, 2);
      eventually(
          "the second arrived",
          () -> stage.deliveries(owner, id).stream().anyMatch(d -> d.state() == State.DELIVERED));
      Map<String, Delivery> byType =
          stage.deliveries(owner, id).stream()
              .collect(Collectors.toMap(Delivery::eventType, delivery -> delivery));
      assertThat(byType.get("requested").state()).isEqualTo(State.PENDING);
      assertThat(byType.get("requested").attempts()).isEqualTo(3);
      assertThat(byType.get("requested").dueAt()).isPresent();
    }
  }

  @Test
  void receiversThatNeverReadDoNotDelayTheOthers() throws Exception {
    // Ten endpoints that accept a connection and are silent: more than there are threads.
    try (Database database = TestDatabase.open();
        Receiver receiver = new Receiver();
        ServerSocket silent = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        EventStage stage = new EventStage(database, folder, rules(Duration.ZERO, LONG)).start()) {
      Caller bad = tenant(database);
      List<Webhook.WithSecret> dead = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        dead.add(
            stage.endpoint(
                bad, "http://127.0.0.1:" + silent.getLocalPort() + "/" + i, "requested"));
      }
      Caller good = tenant(database);
      stage.endpoint(good, receiver.url(), "requested");
      for (int i = 0; i < 10; i++) {
        happened(database, bad, lease(database, bad), 1);
      }
      eventually(
          "the silent ones are known to fail",
          () ->
              dead.stream()
                  .allMatch(each ->
                      stage.deliveries(bad, each.webhook().id()).stream()
                          .anyMatch(d -> d.lastProblem().filter("timed_out"::equals).isPresent())));
      int before = attempts(database);
      for (int i = 0; i < 30; i++) {
        happened(database, good, lease(database, good), 1);
      }
      eventually("all arrived", () -> receiver.received().size() == 30);
      // Time is told by attempts at the dead, each as long as the limit: few are made meanwhile.
      assertThat(attempts(database) - before).isLessThan(60);
    }
  }

  private static int attempts(Database database) {
    return database.read(tx ->
        tx.query("select coalesce(sum(attempts), 0) from webhook_delivery")
            .mapTo(Integer.class)
            .one());
  }

  @Test
  void whatIsPendingIsSentByTheNextServer() throws Exception {
    DatabaseSettings settings = TestDatabase.settings();
    int port;
    Caller owner;
    UUID id;
    Event event;
    try (Database database = Database.open(settings);
        Receiver gone = new Receiver();
        EventStage stage =
            new EventStage(database, folder, rules(Duration.ZERO, Duration.ofMillis(500), LONG))
                .start()) {
      port = gone.port();
      gone.answering(500);
      owner = tenant(database);
      id = stage.endpoint(owner, gone.url(), "requested").webhook().id();
      event = happened(database, owner, lease(database, owner), 1);
      eventually("tried once", () -> gone.received().size() == 1);
    }
    try (Database database = Database.open(settings);
        Receiver back = new Receiver(port);
        EventStage stage = new EventStage(database, folder, rules(Duration.ZERO, LONG)).start()) {
      eventually("arrived", () -> !back.received().isEmpty());
      assertThat(back.received().getFirst().eventId()).isEqualTo(event.outsideId());
      eventually(
          "delivered", () -> stage.deliveries(owner, id).getFirst().state() == State.DELIVERED);
    }
  }

  @Test
  void aClaimOfSomebodyWhoDiedRunsOut() throws Exception {
    try (Database database = TestDatabase.open();
        Receiver receiver = new Receiver()) {
      Caller owner = tenant(database);
      try (EventStage stage = new EventStage(database, folder, EventStage.quick())) {
        stage.endpoint(owner, receiver.url(), "requested");
        happened(database, owner, lease(database, owner), 1);
        stage.relay().relay(0);
      }
      database.run(tx ->
          tx.update("update webhook_delivery set claimed_until = now() + interval '700 ms'")
              .execute());
      try (EventStage _ = new EventStage(database, folder, EventStage.quick()).start()) {
        eventually("arrived", () -> receiver.received().size() == 1);
      }
    }
  }

  @Test
  void twoServersSendEachDeliveryOnce() throws Exception {
    try (Database database = TestDatabase.open();
        Receiver receiver = new Receiver();
        EventStage one = new EventStage(database, folder, EventStage.quick()).start();
        EventStage _ = new EventStage(database, folder, EventStage.quick()).start()) {
      Caller owner = tenant(database);
      UUID id = one.endpoint(owner, receiver.url(), "requested").webhook().id();
      for (int i = 0; i < 40; i++) {
        happened(database, owner, lease(database, owner), 1);
      }
      eventually(
          "all delivered",
          () ->
              one.deliveries(owner, id).stream().filter(d -> d.state() == State.DELIVERED).count()
                  == 40);
      assertThat(receiver.received().stream().map(Received::eventId))
          .hasSize(40)
          .doesNotHaveDuplicates();
    }
  }
}
