package gpuaas.events;

import static gpuaas.events.EventStage.happened;
import static gpuaas.events.EventStage.lease;
import static gpuaas.events.EventStage.tenant;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.audit.AuditStore;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.base.Standing;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.events.Receiver.Received;
import gpuaas.events.Webhook.Delivery;
import gpuaas.events.Webhook.Delivery.Kind;
import gpuaas.events.Webhook.Delivery.State;
import gpuaas.spi.Eventually;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Endpoints: who may do what with them, what arrives there, signed how, and how it is given up. */
class WebhooksTest {

  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final String TYPES = "requested";

  @TempDir static Path folder;
  private static Database database;
  private static EventStage stage;

  @BeforeAll
  static void open() throws Exception {
    database = TestDatabase.open();
    stage = new EventStage(database, folder, EventStage.quick()).start();
  }

  @AfterAll
  static void close() {
    stage.close();
    database.close();
  }

  private static void eventually(String what, Supplier<Boolean> condition) {
    Eventually.within(PATIENCE, what, condition);
  }

  private static void refused(ThrowingCallable call, Class<? extends Refusal> kind) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.refusal()).isInstanceOf(kind));
  }

  @Test
  void anEventArrivesSignedAsTheContractSays() throws Exception {
    Caller owner = tenant(database);
    try (Receiver receiver = new Receiver()) {
      Webhook.WithSecret made = stage.endpoint(owner, receiver.url(), "requested");
      assertThat(made.secret()).matches("[0-9a-f]{64}");
      Event event = happened(database, owner, lease(database, owner), 1);
      eventually("it arrived", () -> receiver.received().size() == 1);
      Received received = receiver.received().getFirst();
      assertThat(received.eventId()).isEqualTo(event.outsideId()).matches("evt_[0-9a-f]{32}");
      assertThat(received.contentType()).isEqualTo("application/json");
      assertThat(received.body()).contains("\"id\": \"" + event.outsideId() + "\"");
      assertThat(received.signature()).matches("t=[0-9]{10},v1=[0-9a-f]{64}");
      assertThat(byOpenssl(made.secret(), received)).isEqualTo(received.signature());
    }
  }

  /** The signature as openssl makes it: the key is the text of the secret. */
  private static String byOpenssl(String secret, Received received) throws Exception {
    String time = received.signature().substring(2, received.signature().indexOf(','));
    Process openssl =
        new ProcessBuilder("openssl", "dgst", "-sha256", "-hmac", secret, "-r").start();
    openssl.getOutputStream().write((time + "." + received.body()).getBytes(UTF_8));
    openssl.getOutputStream().close();
    String said = new String(openssl.getInputStream().readAllBytes(), UTF_8);
    assertThat(openssl.waitFor()).isZero();
    return "t=" + time + ",v1=" + said.split(" ")[0];
  }

  @Test
  void onlyWhatWasAskedForAndOnlyFromNowOn() throws Exception {
    Caller owner = tenant(database);
    UUID lease = lease(database, owner);
    happened(database, owner, lease, 1);
    try (Receiver running = new Receiver();
        Receiver foreign = new Receiver()) {
      stage.endpoint(owner, running.url(), "running", "running");
      stage.endpoint(tenant(database), foreign.url(), "running", "requested");
      UUID other = lease(database, owner);
      happened(database, owner, other, 1);
      Event wanted = happened(database, owner, other, 2);
      eventually("it arrived", () -> !running.received().isEmpty());
      assertThat(running.received().stream().map(Received::eventId))
          .containsExactly(wanted.outsideId());
      assertThat(foreign.received()).as("another tenant hears nothing").isEmpty();
    }
  }

  @Test
  void aReceiverThatFailsIsTriedAgainWithTheSameBodyAndANewSignature() throws Exception {
    Caller owner = tenant(database);
    try (Receiver receiver = new Receiver()) {
      receiver.answering(_ -> receiver.received().size() < 3 ? 500 : 200);
      Webhook.WithSecret made = stage.endpoint(owner, receiver.url(), TYPES);
      happened(database, owner, lease(database, owner), 1);
      eventually(
          "delivered",
          () ->
              stage.deliveries(owner, made.webhook().id()).stream()
                  .anyMatch(delivery -> delivery.state() == State.DELIVERED));
      Delivery delivery = stage.deliveries(owner, made.webhook().id()).getFirst();
      assertThat(delivery.attempts()).isEqualTo(3);
      assertThat(delivery.lastStatus()).hasValue(200);
      assertThat(delivery.lastProblem()).isEmpty();
      assertThat(delivery.dueAt()).isEmpty();
      assertThat(receiver.received().stream().map(Received::body).distinct()).hasSize(1);
      assertThat(receiver.received().stream().map(Received::eventId).distinct()).hasSize(1);
      for (Received received : receiver.received()) {
        assertThat(byOpenssl(made.secret(), received)).isEqualTo(received.signature());
      }
    }
  }

  @Test
  void whatIsGivenUpTooOftenDisablesTheEndpointUntilATrialArrives() throws Exception {
    Caller owner = tenant(database);
    try (Receiver receiver = new Receiver().answering(503)) {
      UUID id = stage.endpoint(owner, receiver.url(), TYPES).webhook().id();
      happened(database, owner, lease(database, owner), 1);
      happened(database, owner, lease(database, owner), 1);
      eventually("disabled", () -> !stage.webhooks().get(owner, EventStage.VOICE, id).enabled());
      assertThat(stage.deliveries(owner, id))
          .allSatisfy(delivery -> {
            assertThat(delivery.state()).isEqualTo(State.EXHAUSTED);
            assertThat(delivery.attempts()).isEqualTo(5);
            assertThat(delivery.lastStatus()).hasValue(503);
            assertThat(delivery.lastProblem()).hasValue("status");
          });
      List<String> trail = database.read(tx -> AuditStore.actions(tx, id));
      assertThat(trail).containsExactly("webhook.create", "webhook.disable");

      happened(database, owner, lease(database, owner), 1);
      Delivery failed = probe(owner, id);
      eventually("the trial failed", () -> state(owner, id, failed) == State.EXHAUSTED);
      assertThat(stage.webhooks().get(owner, EventStage.VOICE, id).enabled()).isFalse();
      receiver.answering(200);
      Delivery trial = probe(owner, id);
      eventually("the trial arrived", () -> state(owner, id, trial) == State.DELIVERED);
      assertThat(stage.webhooks().get(owner, EventStage.VOICE, id).enabled()).isTrue();
      assertThat(receiver.received().getLast().body()).contains("\"trial\": true");
      Event told = happened(database, owner, lease(database, owner), 1);
      eventually(
          "heard again", () -> receiver.received().getLast().eventId().equals(told.outsideId()));
      assertThat(stage.deliveries(owner, id)).as("not told while it was disabled").hasSize(5);
    }
  }

  private static Delivery probe(Caller owner, UUID id) {
    return database.tx(tx -> stage.webhooks().probe(tx, owner, EventStage.VOICE, id));
  }

  private static State state(Caller owner, UUID id, Delivery delivery) {
    return stage.webhooks().delivery(owner, EventStage.VOICE, id, delivery.id()).state();
  }

  @Test
  void whatArrivedCanBeSentAgain() throws Exception {
    Caller owner = tenant(database);
    try (Receiver receiver = new Receiver()) {
      UUID id = stage.endpoint(owner, receiver.url(), TYPES).webhook().id();
      happened(database, owner, lease(database, owner), 1);
      eventually("arrived", () -> receiver.received().size() == 1);
      Delivery first = stage.deliveries(owner, id).getFirst();
      Delivery again =
          database.tx(tx -> stage.webhooks().resend(tx, owner, EventStage.VOICE, id, first.id()));
      assertThat(again.kind()).isEqualTo(Kind.RESEND);
      assertThat(again.eventId()).isEqualTo(first.eventId());
      eventually("arrived again", () -> receiver.received().size() == 2);
      assertThat(receiver.received().getLast().body())
          .isEqualTo(receiver.received().getFirst().body());
      refused(
          () ->
              database.tx(
                  tx -> stage.webhooks().resend(tx, owner, EventStage.VOICE, id, new UUID(0, 9))),
          Refusal.NotFound.class);
    }
  }

  @Test
  void afterARotationBothSecretsSign() throws Exception {
    Caller owner = tenant(database);
    try (Receiver receiver = new Receiver()) {
      Webhook.WithSecret made = stage.endpoint(owner, receiver.url(), TYPES);
      UUID id = made.webhook().id();
      Webhook.WithSecret rotated =
          database.tx(tx -> stage.webhooks().rotateSecret(tx, owner, EventStage.VOICE, id));
      assertThat(rotated.secret()).isNotEqualTo(made.secret());
      happened(database, owner, lease(database, owner), 1);
      eventually("arrived", () -> receiver.received().size() == 1);
      Received received = receiver.received().getFirst();
      String old = byOpenssl(made.secret(), received);
      String fresh = byOpenssl(rotated.secret(), received);
      assertThat(received.signature()).isEqualTo(fresh + old.substring(old.indexOf(",v1=")));
      List<String> kept =
          database.read(tx ->
              tx.query("select secret || ' ' || old_secret from webhook where id = :id")
                  .bind("id", id)
                  .mapTo(String.class)
                  .list());
      assertThat(kept.getFirst()).doesNotContain(made.secret()).doesNotContain(rotated.secret());
    }
  }

  @Test
  void deletingCancelsWhatIsOnItsWay() throws Exception {
    Caller owner = tenant(database);
    try (Receiver receiver = new Receiver().answering(500)) {
      UUID id = stage.endpoint(owner, receiver.url(), TYPES).webhook().id();
      happened(database, owner, lease(database, owner), 1);
      eventually("tried", () -> !receiver.received().isEmpty());
      database.run(tx -> stage.webhooks().delete(tx, owner, EventStage.VOICE, id));
      int pending =
          database.read(tx ->
              tx.query(
                      "select count(*) from webhook_delivery where webhook_id = :id and state ="
                          + " 'pending'")
                  .bind("id", id)
                  .mapTo(Integer.class)
                  .one());
      assertThat(pending).isZero();
      refused(() -> stage.webhooks().get(owner, EventStage.VOICE, id), Refusal.NotFound.class);
      stage.webhooks().forgetOld();
      int left =
          database.read(tx ->
              tx.query("select count(*) from webhook where id = :id")
                  .bind("id", id)
                  .mapTo(Integer.class)
                  .one());
      assertThat(left).as("nothing is left of it after tidying").isZero();
    }
  }

  @Test
  void anotherTenantsEndpointIsNotThere() {
    Caller owner = tenant(database);
    Caller stranger = tenant(database);
    UUID id = stage.endpoint(owner, "http://127.0.0.1:9999/", TYPES).webhook().id();
    Webhooks webhooks = stage.webhooks();
    String voice = EventStage.VOICE;
    List<ThrowingCallable> all =
        List.of(
            () -> webhooks.get(stranger, voice, id),
            () -> webhooks.get(owner, "other", id),
            () -> webhooks.deliveries(stranger, voice, id, Optional.empty(), 10),
            () -> database.tx(tx -> webhooks.probe(tx, stranger, voice, id)),
            () -> database.tx(tx -> webhooks.rotateSecret(tx, stranger, voice, id)),
            () -> database.tx(tx -> webhooks.resend(tx, stranger, voice, id, id)),
            () -> database.run(tx -> webhooks.delete(tx, stranger, voice, id)));
    all.forEach(call -> refused(call, Refusal.NotFound.class));
    assertThat(webhooks.list(stranger, voice, Optional.empty(), 10).items()).isEmpty();
    Caller reader =
        new Caller(
            owner.user(),
            "key",
            owner.tenant(),
            owner.project(),
            Standing.OWNER,
            Optional.of(new Caller.Key(new UUID(0, 5), Set.of(Action.WEBHOOK_READ))),
            "test");
    assertThat(webhooks.get(reader, voice, id).id()).isEqualTo(id);
    refused(() -> database.run(tx -> webhooks.delete(tx, reader, voice, id)), Refusal.Denied.class);
  }

  @Test
  void whatIsWrongIsRefusedAndThereIsALimit() {
    Caller owner = tenant(database);
    refused(() -> stage.endpoint(owner, "http://127.0.0.1/"), Refusal.Invalid.class);
    refused(() -> stage.endpoint(owner, "http://127.0.0.1/", "other"), Refusal.Invalid.class);
    refused(() -> stage.endpoint(owner, "gopher://a.example.com", TYPES), Refusal.Invalid.class);
    for (int i = 0; i < 10; i++) {
      stage.endpoint(owner, "http://127.0.0.1:9999/" + i, TYPES);
    }
    refused(() -> stage.endpoint(owner, "http://127.0.0.1/", TYPES), Refusal.TooMany.class);
    Page<Webhook> first = stage.webhooks().list(owner, EventStage.VOICE, Optional.empty(), 7);
    assertThat(first.items().getFirst().url()).endsWith("/9");
    Page<Webhook> second =
        stage.webhooks().list(owner, EventStage.VOICE, first.next().map(UUID::fromString), 7);
    assertThat(second.items()).hasSize(3);
    assertThat(second.next()).isEmpty();
  }
}
