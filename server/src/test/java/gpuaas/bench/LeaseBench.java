package gpuaas.bench;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.access.KeyPairs;
import gpuaas.db.Database;
import gpuaas.db.EmbeddedPostgres;
import gpuaas.main.TestServer;
import gpuaas.spi.Eventually;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/**
 * From POST to active, and from POST to the end of a first SSH command: one after the other, and
 * ten at a time until a hundred environments are up at once; then what they cost idle, and what is
 * left of them.
 */
public final class LeaseBench {

  private static final int WARM_UP = 10;
  private static final int SEQUENTIAL = 50;
  private static final int TOGETHER = 100;
  private static final int AT_A_TIME = 10;
  private static final long POLL_NANOS = Duration.ofMillis(15).toNanos();

  private final TestServer server;
  private final Database database;
  private final String token;
  private final String keyId;
  private final Path privateKey;

  private LeaseBench(
      TestServer server, Database database, String token, String keyId, Path privateKey) {
    this.server = server;
    this.database = database;
    this.token = token;
    this.keyId = keyId;
    this.privateKey = privateKey;
  }

  /** One environment's way: its id, and how long it took in milliseconds. */
  private record Way(String id, double activeMillis, double sshMillis) {}

  public static void main(String[] arguments) throws Exception {
    Path data = Files.createTempDirectory("gpuaas-bench");
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    EmbeddedPostgres postgres =
        EmbeddedPostgres.start(data.resolve("programs"), data.resolve("postgres"), true, "nobody");
    Database database = Database.open(postgres.settings("gpuaas", 16, Duration.ofSeconds(5)));
    Map<String, String> settings =
        Map.of(
            "GPUAAS_PROVIDER_LOCAL_GPUS",
            "128xH200:16384",
            "GPUAAS_PROVIDER_LOCAL_MEMORY_PER_GPU_MIB",
            "128");
    try (TestServer server = TestServer.start(data, database, settings)) {
      String token = server.token("dev-user", "dev123");
      KeyPairs.Pair pair = KeyPairs.make("bench");
      Path key = Files.writeString(data.resolve("key"), pair.privateKey());
      Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
      new LeaseBench(server, database, token, server.addKey(token, pair.publicKey().line()), key)
          .run(data);
    } finally {
      postgres.close();
      new ProcessBuilder("rm", "-rf", "--one-file-system", data.toString()).start().waitFor();
    }
    System.exit(0);
  }

  private void run(Path data) throws Exception {
    for (int i = 0; i < WARM_UP; i++) {
      release(way(true).id());
    }
    List<Way> active = new ArrayList<>();
    List<Way> entered = new ArrayList<>();
    for (int i = 0; i < SEQUENTIAL; i++) {
      Way first = way(false);
      active.add(first);
      release(first.id());
      Way second = way(true);
      entered.add(second);
      release(second.id());
    }
    print("POST to active, one after the other", active.stream().map(Way::activeMillis).toList());
    print(
        "POST to first SSH command done, one after the other",
        entered.stream().map(Way::sshMillis).toList());

    where("of that, request to place taken", "lease.requested", "lease.placed");
    where("of that, asking the provider", "lease.placed", "lease.booting");
    where("of that, proof over SSH", "lease.booting", "lease.running");

    long before = availableKib();
    List<Way> together = together();
    print(
        "POST to active, " + AT_A_TIME + " at a time",
        together.stream().map(Way::activeMillis).toList());
    print(
        "POST to first SSH command done, " + AT_A_TIME + " at a time",
        together.stream().map(Way::sshMillis).toList());
    System.out.printf("%-60s %d%n", "environments up at once", together.size());
    LockSupport.parkNanos(Duration.ofSeconds(2).toNanos());
    System.out.printf(
        "%-60s %.2f MiB%n",
        "memory per idle environment", (before - availableKib()) / 1024.0 / together.size());
    long answering =
        inParallel(together, way -> ssh(way.id()) == 0).stream()
            .filter(Boolean::booleanValue)
            .count();
    System.out.printf("%-60s %d%n", "of these answer over SSH while all are up", answering);
    long start = System.nanoTime();
    inParallel(together, way -> release(way.id()));
    System.out.printf(
        "%-60s %.0f ms each%n",
        "release, " + AT_A_TIME + " at a time", millisSince(start) / together.size());
    leftovers(data);
  }

  /** What the events so far say of one part of the way. */
  private void where(String what, String from, String to) {
    List<Double> millis =
        database.read(tx ->
            tx.query(
                    """
                    select 1000.0 * extract(epoch from b.at - a.at) from event a join event b using (lease_id)
                     where a.type = :from and b.type = :to
                    """)
                .bind("from", from)
                .bind("to", to)
                .mapTo(Double.class)
                .list());
    print("  " + what, millis);
  }

  private List<Way> together() throws Exception {
    return inParallel(IntStream.range(0, TOGETHER).boxed().toList(), _ -> way(true));
  }

  private interface Step<A, B> {
    B apply(A value) throws Exception;
  }

  private static <A, B> List<B> inParallel(List<A> values, Step<A, B> step) throws Exception {
    try (ExecutorService lanes = Executors.newFixedThreadPool(AT_A_TIME)) {
      List<B> results = new ArrayList<>();
      for (Future<B> result :
          lanes.invokeAll(
              values.stream().<Callable<B>>map(value -> () -> step.apply(value)).toList())) {
        results.add(result.get());
      }
      return results;
    }
  }

  private Way way(boolean enter) throws Exception {
    long start = System.nanoTime();
    String id = server.allocate(token, 1, keyId);
    await(id, "active");
    double active = millisSince(start);
    if (enter && ssh(id) != 0) {
      throw new IOException("ssh into " + id + " failed");
    }
    return new Way(id, active, millisSince(start));
  }

  private void await(String id, String status) {
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (true) {
      JsonNode now = server.call("GET", "/api/v1/allocations/" + id, token, "").json();
      if (now.path("status").asText().equals(status)) {
        return;
      }
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("not " + status + ": " + now);
      }
      LockSupport.parkNanos(POLL_NANOS);
    }
  }

  private int ssh(String id) throws Exception {
    return new ProcessBuilder(
            "ssh",
            "-F",
            "none",
            "-i",
            privateKey.toString(),
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "LogLevel=ERROR",
            "-p",
            Integer.toString(server.running().gateway().port()),
            id + "@127.0.0.1",
            "true")
        .inheritIO()
        .start()
        .waitFor();
  }

  private boolean release(String id) {
    server.call("POST", "/api/v1/allocations/" + id + "/release", token, "");
    await(id, "released");
    return true;
  }

  private void leftovers(Path data) throws Exception {
    Eventually.within(
        Duration.ofSeconds(10), "the last row of work goes", () -> count("work") == 0);
    System.out.printf(
        "%-60s %d processes, %d mounts, %d cgroups, %d rows, %d files%n",
        "left after release",
        lines("pgrep -c -f [g]" + server.running().deployment().substring(1) + " || true"),
        lines("grep -c " + data + "/providers/local/environments /proc/mounts || true"),
        lines(
            "find /sys/fs/cgroup -type d -name '*" + server.running().deployment() + ".*' | wc -l"),
        count("gpu_claim") + count("work"),
        lines("find " + data + " -path '*" + server.running().deployment() + ".*' | wc -l"));
  }

  private int count(String table) {
    return database.read(
        tx -> tx.query("select count(*) from " + table).mapTo(Integer.class).one());
  }

  private static int lines(String command) throws Exception {
    Process process = new ProcessBuilder("sh", "-c", command).start();
    return Integer.parseInt(new String(process.getInputStream().readAllBytes()).strip());
  }

  private static long availableKib() throws IOException {
    return Files.readAllLines(Path.of("/proc/meminfo")).stream()
        .filter(line -> line.startsWith("MemAvailable:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElseThrow();
  }

  private static double millisSince(long start) {
    return (System.nanoTime() - start) / 1e6;
  }

  private static void print(String what, List<Double> millis) {
    List<Double> sorted = millis.stream().sorted().toList();
    System.out.printf(
        "%-60s p50 %.0f ms, p95 %.0f ms, max %.0f ms (%d)%n",
        what, percentile(sorted, 50), percentile(sorted, 95), sorted.getLast(), sorted.size());
  }

  private static double percentile(List<Double> sorted, int percent) {
    return sorted.get((int) Math.ceil(sorted.size() * percent / 100.0) - 1);
  }
}
