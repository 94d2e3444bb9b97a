package gpuaas.bench;

import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.SecretBox;
import gpuaas.base.Standing;
import gpuaas.db.Database;
import gpuaas.db.EmbeddedPostgres;
import gpuaas.db.Tx;
import gpuaas.events.Event;
import gpuaas.events.EventFeed;
import gpuaas.events.EventStore;
import gpuaas.events.Telling;
import gpuaas.events.WebhookRules;
import gpuaas.gpuaas.GpuaasEvents;
import gpuaas.spi.Eventually;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Events a second, and how long each takes, from the commit of the change to its position in the
 * feed and to the arrival of the signed webhook, at 1 and 8 endpoints that each want all of them.
 * PostgreSQL is durable; writers, receivers and everything between are on this machine.
 *
 * <p>First a backlog: everything is written before anybody relays. Then a stream: changes are
 * committed at a steady rate, one a transaction.
 */
public final class EventBench {

  private static final int LEASES = 1000;
  private static final int BACKLOG_DELIVERIES = 20_000;
  private static final int AT_ONCE = 1000;
  private static final int WRITERS = 8;
  private static final Duration STREAM = Duration.ofSeconds(8);
  private static final int STREAM_PER_SECOND = 200;
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final EventFeed.Filter ALL = new EventFeed.Filter(Set.of(), Optional.empty());
  private static final InstantSource CLOCK = Clock.tick(Clock.systemUTC(), Duration.ofNanos(1000));
  private static final Ids IDS = Ids.timeOrdered(CLOCK);

  private final Database database;
  private final Path data;
  private final int backlog;
  private final Caller caller = caller(IDS.next());

  private EventBench(Database database, Path data, int backlog) {
    this.database = database;
    this.data = data;
    this.backlog = backlog;
  }

  public static void main(String[] arguments) throws Exception {
    System.out.printf(
        "%-28s %9s %10s %12s %9s %9s %9s%n",
        "what", "endpoints", "events/s", "deliveries/s", "p50 ms", "p95 ms", "p99 ms");
    int deliveries = arguments.length > 0 ? Integer.parseInt(arguments[0]) : BACKLOG_DELIVERIES;
    for (int endpoints : new int[] {1, 1, 8}) { // the first warms up
      Path data = Files.createTempDirectory("gpuaas-bench");
      Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
      EmbeddedPostgres postgres =
          EmbeddedPostgres.start(
              data.resolve("programs"), data.resolve("postgres"), true, "nobody");
      try (Database database =
          Database.open(postgres.settings("gpuaas", 16, Duration.ofSeconds(30)))) {
        new EventBench(database, data, deliveries / endpoints).run(endpoints);
      } finally {
        postgres.close();
        new ProcessBuilder("rm", "-rf", data.toString()).start().waitFor();
      }
    }
    System.exit(0);
  }

  private void run(int endpoints) throws Exception {
    List<UUID> leases = prepare();
    Telling.Rules rules =
        new Telling.Rules(
            Duration.ofMillis(100), Duration.ofMillis(10), WebhookRules.standard(), true);
    try (BenchReceiver receiver = new BenchReceiver();
        Telling telling =
            Telling.open(
                database,
                SecretBox.open(data.resolve("secret.key")),
                IDS,
                CLOCK,
                rules,
                List.of(new GpuaasEvents()),
                List.of());
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < endpoints; i++) {
        String url = receiver.url(i);
        var made =
            database.tx(tx ->
                telling
                    .webhooks()
                    .create(tx, caller, "gpuaas", url, List.copyOf(new GpuaasEvents().types())));
        receiver.expect(i, made.secret());
      }
      backlog(telling, receiver, threads, leases, endpoints);
      stream(telling, receiver, threads, leases, endpoints);
    }
  }

  private void backlog(
      Telling telling,
      BenchReceiver receiver,
      ExecutorService threads,
      List<UUID> leases,
      int endpoints)
      throws Exception {
    Run run = new Run(endpoints);
    receiver.tell(run::arrived);
    for (int number = 0; number < backlog; number += AT_ONCE) {
      int first = number;
      database.run(tx ->
          IntStream.range(first, Math.min(first + AT_ONCE, backlog))
              .forEach(each -> run.write(tx, event(leases, each))));
    }
    long start = System.nanoTime();
    telling.start();
    threads.submit(() -> run.follow(telling.feed(), Optional.empty(), backlog)).get();
    double relayed = (System.nanoTime() - start) / 1e9;
    run.await(backlog);
    double delivered = (System.nanoTime() - start) / 1e9;
    print("backlog, to the feed", endpoints, backlog / relayed, List.of());
    print("backlog, to the receiver", endpoints, backlog / delivered, List.of());
  }

  private void stream(
      Telling telling,
      BenchReceiver receiver,
      ExecutorService threads,
      List<UUID> leases,
      int endpoints)
      throws Exception {
    Run run = new Run(endpoints);
    receiver.tell(run::arrived);
    String from = telling.feed().end(caller);
    int count = (int) (STREAM_PER_SECOND * STREAM.toSeconds());
    Future<?> following =
        threads.submit(() -> run.follow(telling.feed(), Optional.of(from), count));
    long start = System.nanoTime();
    AtomicInteger next = new AtomicInteger();
    try (ScheduledExecutorService writers = Executors.newScheduledThreadPool(WRITERS)) {
      for (int writer = 0; writer < WRITERS; writer++) {
        long period = WRITERS * 1_000_000_000L / STREAM_PER_SECOND;
        var _ =
            writers.scheduleAtFixedRate(
                () -> {
                  int number = next.getAndIncrement();
                  if (number < count) {
                    Event event = event(leases, backlog + number);
                    database.run(tx -> run.write(tx, event));
                    run.committed(event);
                    telling.relay().wake();
                  }
                },
                writer * period / WRITERS,
                period,
                TimeUnit.NANOSECONDS);
      }
      following.get();
    }
    double toFeed = (System.nanoTime() - start) / 1e9;
    run.await(count);
    double toReceiver = (System.nanoTime() - start) / 1e9;
    print("stream, to the feed", endpoints, count / toFeed, run.toFeed);
    print("stream, to the receiver", endpoints, count / toReceiver, run.toReceiver);
  }

  /** What was written, and what came of it. */
  private final class Run {
    private final int endpoints;
    private final Map<String, Long> written = new ConcurrentHashMap<>();
    private final Map<String, Integer> missing = new ConcurrentHashMap<>();
    private final Queue<Double> toFeed = new ConcurrentLinkedQueue<>();
    private final Queue<Double> toReceiver = new ConcurrentLinkedQueue<>();
    private final AtomicInteger arrivedEverywhere = new AtomicInteger();

    Run(int endpoints) {
      this.endpoints = endpoints;
    }

    void write(Tx tx, Event event) {
      missing.put(event.outsideId(), endpoints);
      written.put(event.outsideId(), System.nanoTime());
      EventStore.append(tx, event);
    }

    /** From here on its delay counts. */
    void committed(Event event) {
      written.put(event.outsideId(), System.nanoTime());
    }

    /** Once from each endpoint; what comes again counts no more. */
    void arrived(String eventId) {
      Long since = written.get(eventId);
      if (since == null) {
        return; // of another run
      }
      toReceiver.add((System.nanoTime() - since) / 1e6);
      Integer left = missing.computeIfPresent(eventId, (_, count) -> count - 1);
      if (left != null && left == 0) {
        arrivedEverywhere.incrementAndGet();
      }
    }

    boolean follow(EventFeed feed, Optional<String> from, int count) throws InterruptedException {
      Optional<String> at = from;
      int seen = 0;
      try (EventFeed.Following following = feed.follow(caller)) {
        while (seen < count) {
          EventFeed.Part part = feed.read(caller, at, ALL, 500);
          long now = System.nanoTime();
          for (EventFeed.Entry entry : part.entries()) {
            toFeed.add((now - written.getOrDefault(entry.event().outsideId(), now)) / 1e6);
          }
          seen += part.entries().size();
          at = Optional.of(part.next());
          if (!part.more() && seen < count) {
            following.await(Duration.ofSeconds(1));
          }
        }
      }
      return true;
    }

    void await(int count) {
      Eventually.within(PATIENCE, "all arrived", () -> arrivedEverywhere.get() >= count);
    }
  }

  private static void print(
      String what, int endpoints, double perSecond, Collection<Double> delays) {
    List<Double> sorted = delays.stream().sorted().toList();
    System.out.printf("%-28s %9d %10.0f %12.0f", what, endpoints, perSecond, perSecond * endpoints);
    for (double part : new double[] {0.5, 0.95, 0.99}) {
      System.out.print(
          sorted.isEmpty()
              ? ""
              : " %9.1f".formatted(sorted.get((int) (part * (sorted.size() - 1)))));
    }
    System.out.println();
  }

  /** Each lease in turn. */
  private Event event(List<UUID> leases, int number) {
    return Event.of(
        Event.Type.LEASE_RUNNING,
        leases.get(number % LEASES),
        caller.project(),
        1 + number / LEASES,
        CLOCK.instant(),
        "bench",
        Map.of());
  }

  private static Caller caller(UUID id) {
    return new Caller(id, "bench", id, id, Standing.OWNER, Optional.empty(), "bench");
  }

  /** A tenant, and leases as far as events need them. */
  private List<UUID> prepare() {
    List<UUID> leases = Stream.generate(IDS::next).limit(LEASES).toList();
    database.run(tx -> {
      tx.update("insert into tenant (id, name, made_at) values (:id, 'bench', now())")
          .bind("id", caller.tenant())
          .execute();
      tx.update(
              "insert into project (id, tenant_id, slug, name, made_at) values (:id, :id,"
                  + " 'default', 'bench', now())")
          .bind("id", caller.tenant())
          .execute();
      tx.update(
              "insert into person (id, username, default_project_id, made_at) values (:id, 'bench',"
                  + " :id, now())")
          .bind("id", caller.tenant())
          .execute();
      tx.update(
              """
              insert into lease (id, version, tenant_id, project_id, requested_by, spec, sku, gpu_model, gpu_count,
                price_per_gpu_hour_micros, correlation_id, made_at, state, attempt)
              select id, 1, :owner, :owner, :owner, '{}', 'h200', 'H200', 1, 0, 'bench', now(), 'waiting', 0
                from unnest(:ids) as id
              """)
          .bindArray("ids", UUID.class, leases)
          .bind("owner", caller.tenant())
          .execute();
    });
    return leases;
  }
}
