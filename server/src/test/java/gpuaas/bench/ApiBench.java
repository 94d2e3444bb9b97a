package gpuaas.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.access.KeyPairs;
import gpuaas.db.Database;
import gpuaas.db.EmbeddedPostgres;
import gpuaas.main.BenchServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Requests a second of the GPU.ai API, with a durable PostgreSQL, client and server on the same
 * machine: create, get, and a page of 50 out of 2,000 and out of 100,000, at 1, 8 and 64 clients.
 * Instances are of a simulated provider. Creates are measured by themselves, while nobody works on
 * what was created, and then with everything running.
 */
public final class ApiBench {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int[] CLIENTS = {1, 8, 64};
  private static final Duration WARM_UP = Duration.ofSeconds(60);
  private static final Duration MEASURED = Duration.ofSeconds(5);
  private static final String WANTED =
      "{\"gpu_type\": \"h200\", \"gpu_count\": 1, \"tier\": \"on_demand\"}";

  private final BenchServer server;
  private final Database database;
  private final ProcessHandle postgres;
  private final String key;

  private ApiBench(BenchServer server, Database database, ProcessHandle postgres, String key) {
    this.server = server;
    this.database = database;
    this.postgres = postgres;
    this.key = key;
  }

  /** One request of a client; what it answers is checked. */
  private interface Call {
    void run(RawClient client, int number) throws IOException;
  }

  public static void main(String[] arguments) throws Exception {
    Path data = Files.createTempDirectory("gpuaas-bench");
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    EmbeddedPostgres postgres =
        EmbeddedPostgres.start(data.resolve("programs"), data.resolve("postgres"), true, "nobody");
    Database database = Database.open(postgres.settings("gpuaas", 16, Duration.ofSeconds(5)));
    try (BenchServer server = BenchServer.start(data, database)) {
      String key = server.apiKey(KeyPairs.make("bench").publicKey().line());
      new ApiBench(server, database, postmaster(data), key).run(arguments);
    } finally {
      postgres.close();
      new ProcessBuilder("rm", "-rf", "--one-file-system", data.toString()).start().waitFor();
    }
    System.exit(0);
  }

  private static ProcessHandle postmaster(Path data) throws IOException {
    List<String> lines = Files.readAllLines(data.resolve("postgres/data/postmaster.pid"));
    return ProcessHandle.of(Long.parseLong(lines.getFirst())).orElseThrow();
  }

  private void run(String[] arguments) throws Exception {
    System.out.printf(
        "%-42s %8s %10s %9s %9s %9s %12s %12s%n",
        "what", "clients", "requests/s", "p50 ms", "p95 ms", "p99 ms", "JVM cpu ms", "SQL cpu ms");
    Call create = (client, _) -> expect(client.send("POST", "/v1/instances", WANTED), 202);
    String only = arguments.length > 0 ? arguments[0] : "";
    if (only.equals("read")) {
      measure("create (to have some)", 1, Duration.ofSeconds(1), create);
    } else {
      measure("create (warm-up)", 8, WARM_UP, create);
      for (int clients : CLIENTS) {
        measure("create, durable", clients, MEASURED, create);
      }
    }
    if (only.equals("create")) {
      return;
    }
    clear();
    fill(2_000);
    reads("out of 2,000");
    fill(98_000);
    reads("out of 100,000");
    if (only.equals("read")) {
      return;
    }
    for (int clients : CLIENTS) {
      measure("create beside 100,000", clients, MEASURED, create);
    }
    clear();
    server.work();
    for (int clients : CLIENTS) {
      measure("create, while instances are made of them", clients, MEASURED, create);
    }
  }

  private void reads(String outOf) throws Exception {
    List<String> ids = new ArrayList<>();
    try (RawClient client = new RawClient(server.port(), key)) {
      String body = client.send("GET", "/v1/instances?limit=200", "").body();
      JSON.readTree(body).path("data").forEach(each -> ids.add(each.path("id").asText()));
    }
    Call get =
        (client, number) ->
            expect(client.send("GET", "/v1/instances/" + ids.get(number % ids.size()), ""), 200);
    Call list = (client, _) -> expect(client.send("GET", "/v1/instances?limit=50", ""), 200);
    measure("get (warm-up)", 8, WARM_UP, get);
    for (int clients : CLIENTS) {
      measure("get, " + outOf, clients, MEASURED, get);
    }
    measure("list (warm-up)", 8, WARM_UP, list);
    for (int clients : CLIENTS) {
      measure("list of 50, " + outOf, clients, MEASURED, list);
    }
  }

  private static void expect(RawClient.Answer answer, int status) throws IOException {
    if (answer.status() != status) {
      throw new IOException("answered " + answer);
    }
  }

  private void measure(String what, int clients, Duration time, Call call) throws Exception {
    long end = System.nanoTime() + time.toNanos();
    Cpu before = Cpu.now(postgres);
    long start = System.nanoTime();
    List<Callable<double[]>> all = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      all.add(() -> calls(end, call));
    }
    List<Double> millis = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(clients)) {
      for (Future<double[]> one : threads.invokeAll(all)) {
        Arrays.stream(one.get()).forEach(millis::add);
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    Cpu after = Cpu.now(postgres);
    List<Double> sorted = millis.stream().sorted().toList();
    System.out.printf(
        "%-42s %8d %10.0f %9.2f %9.2f %9.2f %12.3f %12.3f%n",
        what,
        clients,
        sorted.size() / seconds,
        at(sorted, 0.50),
        at(sorted, 0.95),
        at(sorted, 0.99),
        (after.ownMillis() - before.ownMillis()) / sorted.size(),
        (after.databaseMillis() - before.databaseMillis()) / sorted.size());
  }

  /** What was used of the processors so far: by server and clients here, and by PostgreSQL. */
  private record Cpu(double ownMillis, double databaseMillis) {

    static Cpu now(ProcessHandle postgres) {
      return new Cpu(
          millis(ProcessHandle.current()),
          millis(postgres) + postgres.descendants().mapToDouble(Cpu::millis).sum());
    }

    private static double millis(ProcessHandle process) {
      return process.info().totalCpuDuration().map(Duration::toNanos).orElse(0L) / 1e6;
    }
  }

  private double[] calls(long end, Call call) throws IOException {
    List<Double> millis = new ArrayList<>();
    try (RawClient client = new RawClient(server.port(), key)) {
      for (int number = 0; System.nanoTime() < end; number++) {
        long start = System.nanoTime();
        call.run(client, number);
        millis.add((System.nanoTime() - start) / 1e6);
      }
    }
    return millis.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static double at(List<Double> sorted, double part) {
    return sorted.isEmpty()
        ? Double.NaN
        : sorted.get((int) Math.min(sorted.size() - 1.0, sorted.size() * part));
  }

  /** Ends whatever was made so far, as if it had been deleted. */
  private void clear() {
    database.run(tx -> {
      tx.update("delete from work").execute();
      tx.update(
              "update lease set state = 'ended', end_reason = 'ASKED', ended_at = now() where state"
                  + " <> 'ended'")
          .execute();
    });
  }

  /** Instances in sight, written as they would be after they failed. */
  private void fill(int count) {
    database.run(tx -> {
      tx.update(
              """
              insert into lease (id, version, tenant_id, project_id, requested_by, spec, sku, gpu_model, gpu_count,
                price_per_gpu_hour_micros, correlation_id, made_at, state, attempt, end_reason, ended_at)
              select gen_random_uuid(), 1, l.tenant_id, l.project_id, l.requested_by, l.spec, l.sku, l.gpu_model,
                l.gpu_count, l.price_per_gpu_hour_micros, 'bench', now() - n * interval '1 ms', 'ended', 0, 'NO_CAPACITY', now()
                from (select * from lease order by made_at limit 1) l, generate_series(1, :count) n
              """)
          .bind("count", count)
          .execute();
      tx.update("analyze lease").execute();
    });
  }
}
