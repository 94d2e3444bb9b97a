package gpuaas.ledger;

import gpuaas.db.Database;
import gpuaas.db.EmbeddedPostgres;
import gpuaas.ledger.Account.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import javax.sql.DataSource;

/**
 * Transfers a second, beside a floor of plain SQL on the same durable database in the same run: two
 * balances updated and one row written, committed each.
 */
public final class LedgerBench {

  private static final int CLIENTS = 8;
  private static final int TENANTS = 1000;
  private static final int BATCH = 100;
  private static final int ROUNDS = 5;
  private static final Duration ROUND = Duration.ofSeconds(3);
  private static final double[] PERCENTILES = {0.5, 0.95, 0.99};

  private final Database database;
  private final AtomicLong ids = new AtomicLong();

  private LedgerBench(Database database) {
    this.database = database;
  }

  /** One commit between two accounts; how many transfers it made. */
  @FunctionalInterface
  private interface Work {
    int run(SplittableRandom random) throws SQLException;
  }

  /** What one round gave. */
  private record Result(double perSecond, double[] millis) {}

  public static void main(String[] arguments) throws Exception {
    Path data = Files.createTempDirectory("gpuaas-bench");
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    EmbeddedPostgres postgres =
        EmbeddedPostgres.start(data.resolve("programs"), data.resolve("postgres"), true, "nobody");
    try (Database database =
        Database.open(postgres.settings("gpuaas", CLIENTS, Duration.ofSeconds(30)))) {
      new LedgerBench(database).run();
    } finally {
      postgres.close();
      new ProcessBuilder("rm", "-rf", data.toString()).start().waitFor();
    }
  }

  private void run() throws Exception {
    prepare();
    Map<String, Work> works = new LinkedHashMap<>();
    works.put("floor, spread", random -> floor(tenant(random, false)));
    works.put("ledger, spread", random -> ledger(random, false, 1));
    works.put("floor, hot", random -> floor(tenant(random, true)));
    works.put("ledger, hot", random -> ledger(random, true, 1));
    works.put("ledger, spread, " + BATCH + " a commit", random -> ledger(random, false, BATCH));
    works.put("ledger, hot, " + BATCH + " a commit", random -> ledger(random, true, BATCH));
    Map<String, List<Result>> results = new LinkedHashMap<>();
    for (int round = 0; round <= ROUNDS; round++) {
      for (Map.Entry<String, Work> work : works.entrySet()) {
        Result result = measure(work.getValue());
        if (round > 0) { // the first warms up
          results.computeIfAbsent(work.getKey(), _ -> new ArrayList<>()).add(result);
        }
      }
    }
    print(results);
    List<String> differences = database.read(LedgerStore::differences);
    System.out.println(
        differences.isEmpty() ? "Every balance is the sum of its entries." : differences);
  }

  private void prepare() throws SQLException {
    database.run(tx -> {
      for (int i = 0; i < TENANTS; i++) {
        LedgerStore.open(tx, new UUID(1, i), "USD");
      }
    });
    try (Connection connection = source().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create table floor_balance (account uuid primary key, micros bigint not null)"
              + " with (fillfactor = 50)");
      statement.execute(
          "create table floor_transfer (id uuid primary key, debit uuid not null, credit uuid not"
              + " null, amount_micros bigint not null, at timestamptz not null default now())");
      statement.execute(
          "insert into floor_balance select id, 0 from account where kind in ('funds', 'revenue')");
    }
  }

  private DataSource source() {
    return database.dataSource();
  }

  private static UUID tenant(SplittableRandom random, boolean hot) {
    return new UUID(1, hot ? 0 : random.nextInt(TENANTS));
  }

  /** What anybody would write by hand, rows taken in order so that none waits for another. */
  private int floor(UUID tenant) throws SQLException {
    UUID debit = new Account(tenant, Kind.FUNDS, "USD").id();
    UUID credit = new Account(tenant, Kind.REVENUE, "USD").id();
    boolean debitFirst = debit.compareTo(credit) < 0;
    try (Connection connection = source().getConnection()) {
      connection.setAutoCommit(false);
      update(connection, debitFirst ? debit : credit, debitFirst ? -1 : 1);
      update(connection, debitFirst ? credit : debit, debitFirst ? 1 : -1);
      try (PreparedStatement insert =
          connection.prepareStatement(
              "insert into floor_transfer (id, debit, credit, amount_micros) values (?, ?, ?,"
                  + " 1)")) {
        insert.setObject(1, new UUID(2, ids.incrementAndGet()));
        insert.setObject(2, debit);
        insert.setObject(3, credit);
        insert.executeUpdate();
      }
      connection.commit();
      connection.setAutoCommit(true);
    }
    return 1;
  }

  private static void update(Connection connection, UUID account, long micros) throws SQLException {
    try (PreparedStatement update =
        connection.prepareStatement(
            "update floor_balance set micros = micros + ? where account = ?")) {
      update.setLong(1, micros);
      update.setObject(2, account);
      update.executeUpdate();
    }
  }

  private int ledger(SplittableRandom random, boolean hot, int count) {
    List<Transfer> transfers = new ArrayList<>();
    while (transfers.size() < count) {
      UUID tenant = tenant(random, hot);
      transfers.add(
          new Transfer(
              new UUID(3, ids.incrementAndGet()),
              tenant,
              new Account(tenant, Kind.FUNDS, "USD").id(),
              new Account(tenant, Kind.REVENUE, "USD").id(),
              1,
              Transfer.Kind.USAGE,
              Optional.empty(),
              Instant.EPOCH,
              "bench"));
    }
    // As the product does it: whoever comes at the same time shares the commit.
    return database.together(
        tx -> {
          LedgerStore.post(tx, transfers);
          return transfers.size();
        },
        () -> {
          throw new IllegalStateException("transfers are fit to be written together");
        });
  }

  private Result measure(Work work) throws Exception {
    List<Callable<List<Double>>> clients = new ArrayList<>();
    AtomicLong done = new AtomicLong();
    long start = System.nanoTime();
    for (int client = 0; client < CLIENTS; client++) {
      SplittableRandom random = new SplittableRandom(client);
      clients.add(() -> {
        List<Double> millis = new ArrayList<>();
        while (System.nanoTime() - start < ROUND.toNanos()) {
          long before = System.nanoTime();
          done.addAndGet(work.run(random));
          millis.add((System.nanoTime() - before) / 1e6);
        }
        return millis;
      });
    }
    List<Double> all = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(CLIENTS)) {
      for (Future<List<Double>> each : threads.invokeAll(clients)) {
        all.addAll(each.get());
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    double[] sorted = all.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return new Result(
        done.get() / seconds,
        Arrays.stream(PERCENTILES)
            .map(part -> sorted[(int) (part * (sorted.length - 1))])
            .toArray());
  }

  private static void print(Map<String, List<Result>> results) {
    System.out.printf(
        "%d clients, %d rounds of %d s each, medians; durable commits, client on the same"
            + " machine%n%n",
        CLIENTS, ROUNDS, ROUND.toSeconds());
    System.out.printf("%-34s %12s %9s %9s %9s%n", "", "transfers/s", "p50 ms", "p95 ms", "p99 ms");
    Map<String, Double> rates = new LinkedHashMap<>();
    results.forEach((name, rounds) -> {
      double rate = median(rounds.stream().mapToDouble(Result::perSecond).toArray());
      rates.put(name, rate);
      double[] millis =
          IntStream.range(0, PERCENTILES.length)
              .mapToDouble(
                  i -> median(rounds.stream().mapToDouble(each -> each.millis()[i]).toArray()))
              .toArray();
      System.out.printf(
          "%-34s %12.0f %9.2f %9.2f %9.2f%n", name, rate, millis[0], millis[1], millis[2]);
    });
    System.out.printf(
        "%nspread: %.2f times the floor; hot: %.2f times the floor%n",
        rates.getOrDefault("ledger, spread", 0.0) / rates.getOrDefault("floor, spread", 1.0),
        rates.getOrDefault("ledger, hot", 0.0) / rates.getOrDefault("floor, hot", 1.0));
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
