package gpuaas.local;

import gpuaas.local.gpu.GpuSources;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.ProviderConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** Short words for tests: open a provider, make an environment, run something inside. */
final class Inside {

  static final String DEPLOYMENT = "test";

  private Inside() {}

  /** What a command inside said. */
  record Said(int exitCode, String output, String error) {}

  static LocalProvider open(Path folder, Map<String, String> settings, StepHook steps) {
    ProviderConfig config =
        new ProviderConfig("local", DEPLOYMENT, folder, InstantSource.system(), settings);
    return LocalProvider.open(
        config, LocalSettings.parse(config), GpuSources.ofThisMachine(), steps);
  }

  static LocalProvider open(Path folder, Map<String, String> settings) {
    return open(folder, settings, StepHook.NONE);
  }

  static InstanceRequest request(LocalProvider provider, int number, List<String> gpuIds) {
    return new InstanceRequest(
        new OwnerTag(DEPLOYMENT, new UUID(7, number), 1),
        provider.offers(OfferQuery.all()).getFirst().withGpuCount(Math.max(1, gpuIds.size())),
        "",
        gpuIds,
        "",
        List.of(),
        Map.of("GREETING", "hello"),
        "env-" + number);
  }

  static InstanceRef create(LocalProvider provider, int number) {
    return provider.create(request(provider, number, List.of()));
  }

  /** Runs a shell command and waits for its end. */
  static Said run(LocalProvider provider, InstanceRef instance, String script) {
    ExecRequest request = new ExecRequest(List.of("sh", "-c", script), Optional.empty(), Map.of());
    try (ExecChannel channel = provider.exec(instance, request)) {
      channel.input().close();
      CompletableFuture<byte[]> error =
          CompletableFuture.supplyAsync(() -> readAll(channel.error()));
      String output = new String(readAll(channel.output()), StandardCharsets.UTF_8);
      int exitCode = channel.waitFor();
      return new Said(exitCode, output, new String(error.join(), StandardCharsets.UTF_8));
    } catch (IOException | InterruptedException failure) {
      throw new IllegalStateException(failure);
    }
  }

  private static byte[] readAll(InputStream stream) {
    try {
      return stream.readAllBytes();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  static void destroyAll(LocalProvider provider) {
    provider.list(DEPLOYMENT).forEach(owned -> provider.destroy(owned.instance()));
  }

  static void eventually(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("not within thirty seconds: " + what);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
  }

  /** Everything on this machine that carries an environment's id. */
  static List<String> traces(String id) {
    try (Stream<String> mounts = Files.lines(Path.of("/proc/self/mounts"));
        Stream<Path> groups = Files.walk(Path.of("/sys/fs/cgroup"), 4);
        Stream<Path> runtime = Files.walk(Path.of("/run/gpuaas"), 3)) {
      List<Stream<String>> all =
          List.of(
              mounts,
              groups.map(Path::toString),
              runtime.map(Path::toString),
              ProcessHandle.allProcesses().flatMap(process -> groupOf(process).stream()));
      return all.stream().flatMap(lines -> lines).filter(line -> line.contains(id)).toList();
    } catch (NoSuchFileException nothingThere) {
      return List.of();
    } catch (IOException | UncheckedIOException changedMeanwhile) {
      return traces(id);
    }
  }

  private static List<String> groupOf(ProcessHandle process) {
    try {
      return Files.readAllLines(Path.of("/proc/" + process.pid() + "/cgroup"));
    } catch (IOException | UncheckedIOException gone) {
      return List.of();
    }
  }
}
