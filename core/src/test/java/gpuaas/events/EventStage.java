package gpuaas.events;

import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.SecretBox;
import gpuaas.base.Standing;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import javax.net.ssl.SSLContext;

/** What events need around them: tenants, leases, a voice, and the parts over one database. */
final class EventStage implements AutoCloseable {

  static final InstantSource CLOCK = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));
  static final Ids IDS = Ids.timeOrdered(CLOCK);
  static final String VOICE = "test";

  private final Database database;
  private final OutboundHttp outbound;
  private final Webhooks.Parts parts;
  private final EventFeed feed;
  private final EventRelay relay;

  /** Pauses of milliseconds, so that a test sees days. */
  static WebhookRules rules(Duration... retryAfter) {
    return new WebhookRules(
        List.of(retryAfter),
        Duration.ofSeconds(2),
        3,
        8,
        2,
        Duration.ofMillis(20),
        2,
        10,
        Duration.ofHours(1),
        Duration.ofDays(30));
  }

  static WebhookRules quick() {
    return rules(
        Duration.ZERO,
        Duration.ofMillis(50),
        Duration.ofMillis(50),
        Duration.ofMillis(50),
        Duration.ofMillis(50));
  }

  EventStage(Database database, Path folder, WebhookRules rules, EventSink... more)
      throws IOException {
    this(database, folder, rules, CLOCK, more);
  }

  EventStage(
      Database database, Path folder, WebhookRules rules, InstantSource clock, EventSink... more)
      throws IOException {
    this.database = database;
    try {
      this.outbound =
          new OutboundHttp(
              InetAddress::getAllByName, true, rules.attemptLimit(), SSLContext.getDefault());
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
    SecretBox secrets = SecretBox.open(folder.resolve("secret.key"));
    this.parts =
        Webhooks.open(database, secrets, IDS, clock, rules, outbound, List.of(new TestVoice()));
    this.feed = new EventFeed(database, secrets);
    List<EventSink> sinks = new java.util.ArrayList<>(List.of(more));
    sinks.add(parts.sink());
    this.relay =
        new EventRelay(database, sinks, feed, Duration.ofMillis(20), Duration.ofMillis(10));
  }

  EventStage start() {
    relay.start();
    parts.reconciler().start();
    return this;
  }

  Webhooks webhooks() {
    return parts.webhooks();
  }

  WebhookReconciler reconciler() {
    return parts.reconciler();
  }

  EventFeed feed() {
    return feed;
  }

  EventRelay relay() {
    return relay;
  }

  Webhook.WithSecret endpoint(Caller caller, String url, String... types) {
    return database.tx(tx -> webhooks().create(tx, caller, VOICE, url, List.of(types)));
  }

  List<Webhook.Delivery> deliveries(Caller caller, UUID webhook) {
    return webhooks().deliveries(caller, VOICE, webhook, Optional.empty(), 200).items();
  }

  @Override
  public void close() {
    relay.close();
    parts.reconciler().close();
    outbound.close();
  }

  /** Somebody with a tenant and a project of their own. */
  static Caller tenant(Database database) {
    UUID id = IDS.next();
    database.run(tx -> {
      tx.update("insert into tenant (id, name, made_at) values (:id, 'test', now())")
          .bind("id", id)
          .execute();
      tx.update(
              "insert into project (id, tenant_id, slug, name, made_at) values (:id, :id,"
                  + " 'default', 'test', now())")
          .bind("id", id)
          .execute();
      tx.update(
              "insert into person (id, username, default_project_id, made_at) values (:id, :name,"
                  + " :id, now())")
          .bind("id", id)
          .bind("name", id.toString())
          .execute();
    });
    return new Caller(id, "test", id, id, Standing.OWNER, Optional.empty(), "test");
  }

  /** A lease in the database, as far as events need one. */
  static UUID lease(Database database, Caller owner) {
    UUID id = IDS.next();
    database.run(tx ->
        tx.update(
                """
                insert into lease (id, version, tenant_id, project_id, requested_by, spec, sku, gpu_model, gpu_count,
                  price_per_gpu_hour_micros, correlation_id, made_at, state, attempt)
                values (:id, 1, :owner, :owner, :owner, '{}', 'h200', 'H200', 1, 0, 'test', now(), 'waiting', 0)
                """)
            .bind("id", id)
            .bind("owner", owner.project())
            .execute());
    return id;
  }

  static Event event(Caller owner, UUID lease, long sequence) {
    Event.Type type = sequence == 1 ? Event.Type.LEASE_REQUESTED : Event.Type.LEASE_RUNNING;
    return Event.of(
        type,
        lease,
        owner.project(),
        sequence,
        CLOCK.instant(),
        "test",
        Map.of("n", "" + sequence));
  }

  /** Writes an event by itself. */
  static Event happened(Database database, Caller owner, UUID lease, long sequence) {
    Event event = event(owner, lease, sequence);
    database.run(tx -> EventStore.append(tx, event));
    return event;
  }

  /** Words for tests: {@code requested} and {@code running}. */
  static final class TestVoice implements WebhookVoice {
    @Override
    public String name() {
      return VOICE;
    }

    @Override
    public String headerPrefix() {
      return "Test";
    }

    @Override
    public Set<String> types() {
      return Set.of("requested", "running");
    }

    @Override
    public Optional<Told> tell(Tx tx, Event event, String eventId) {
      String type = event.type() == Event.Type.LEASE_REQUESTED ? "requested" : "running";
      return Optional.of(
          new Told(
              type,
              "{\"id\": \"%s\", \"type\": \"%s\", \"lease\": \"%s\", \"sequence\": %d, \"text\": \"grün\"}"
                  .formatted(eventId, type, event.lease(), event.sequence())));
    }

    @Override
    public Told probe(String eventId, Instant at) {
      return new Told("requested", "{\"id\": \"" + eventId + "\", \"trial\": true}");
    }
  }
}
