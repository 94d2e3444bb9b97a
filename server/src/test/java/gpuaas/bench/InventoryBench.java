package gpuaas.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.capacity.PlacingBench;
import gpuaas.db.Database;
import gpuaas.db.EmbeddedPostgres;
import gpuaas.main.InventoryServer;
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
 * Filtered pages a second out of 5,000 offers of two markets, client and server on the same
 * machine, while the markets are asked in the background as usual; how often 100 parallel first
 * requests ask each market; and what a placing and a look at unchanged offers cost.
 */
public final class InventoryBench {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int OFFERS = 5_000;
  private static final int FIRST_REQUESTS = 100;
  private static final int[] CLIENTS = {1, 8, 64};
  private static final Duration WARM_UP = Duration.ofSeconds(20);
  private static final Duration MEASURED = Duration.ofSeconds(10);
  private static final String PAGE =
      "/api/v1/inventory?gpu_type=RTX+4090&min_vram=20&max_price=1.5&limit=20&offset=0";

  private final InventoryServer server;

  private InventoryBench(InventoryServer server) {
    this.server = server;
  }

  public static void main(String[] arguments) throws Exception {
    Path data = Files.createTempDirectory("gpuaas-bench");
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    EmbeddedPostgres postgres =
        EmbeddedPostgres.start(data.resolve("programs"), data.resolve("postgres"), true, "nobody");
    Database database = Database.open(postgres.settings("gpuaas", 16, Duration.ofSeconds(5)));
    try (InventoryServer server = InventoryServer.start(data, database, OFFERS)) {
      new InventoryBench(server).run();
      PlacingBench.run(database);
    } finally {
      postgres.close();
      new ProcessBuilder("rm", "-rf", "--one-file-system", data.toString()).start().waitFor();
    }
    System.exit(0);
  }

  private void run() throws Exception {
    first();
    server.work();
    System.out.printf(
        "%-32s %8s %10s %9s %9s %9s %10s%n",
        "what", "clients", "pages/s", "p50 ms", "p95 ms", "p99 ms", "JVM cpu ms");
    measure("page of 20 (warm-up)", 8, WARM_UP);
    for (int clients : CLIENTS) {
      measure("page of 20, out of 5,000", clients, MEASURED);
    }
  }

  private void first() throws Exception {
    long start = System.nanoTime();
    List<Callable<Double>> all = new ArrayList<>();
    for (int i = 0; i < FIRST_REQUESTS; i++) {
      all.add(() -> {
        try (RawClient client = new RawClient(server.port(), "")) {
          page(client);
        }
        return (System.nanoTime() - start) / 1e6;
      });
    }
    double last = 0;
    try (ExecutorService threads = Executors.newFixedThreadPool(FIRST_REQUESTS)) {
      for (Future<Double> one : threads.invokeAll(all)) {
        last = Math.max(last, one.get());
      }
    }
    System.out.printf(
        "%d parallel first requests: calls to the markets, which take 300 ms: %s; all answered"
            + " after %.0f ms%n",
        FIRST_REQUESTS, server.calls(), last);
  }

  private static void page(RawClient client) throws IOException {
    RawClient.Answer answer = client.send("GET", PAGE, "");
    if (answer.status() != 200 || !answer.body().contains("\"count\":20")) {
      JsonNode body = JSON.readTree(answer.body());
      throw new IOException("answered " + answer.status() + " " + body);
    }
  }

  private void measure(String what, int clients, Duration time) throws Exception {
    double cpuBefore = cpuMillis();
    long start = System.nanoTime();
    long end = start + time.toNanos();
    List<Callable<double[]>> all = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      all.add(() -> pages(end));
    }
    List<Double> millis = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(clients)) {
      for (Future<double[]> one : threads.invokeAll(all)) {
        Arrays.stream(one.get()).forEach(millis::add);
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    List<Double> sorted = millis.stream().sorted().toList();
    System.out.printf(
        "%-32s %8d %10.0f %9.2f %9.2f %9.2f %10.3f%n",
        what,
        clients,
        sorted.size() / seconds,
        at(sorted, 0.50),
        at(sorted, 0.95),
        at(sorted, 0.99),
        (cpuMillis() - cpuBefore) / sorted.size());
  }

  /** What server and clients used of the processors so far. */
  private static double cpuMillis() {
    return ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e6;
  }

  private double[] pages(long end) throws IOException {
    List<Double> millis = new ArrayList<>();
    try (RawClient client = new RawClient(server.port(), "")) {
      while (System.nanoTime() < end) {
        long start = System.nanoTime();
        page(client);
        millis.add((System.nanoTime() - start) / 1e6);
      }
    }
    return millis.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static double at(List<Double> sorted, double part) {
    return sorted.get((int) Math.min(sorted.size() - 1.0, sorted.size() * part));
  }
}
