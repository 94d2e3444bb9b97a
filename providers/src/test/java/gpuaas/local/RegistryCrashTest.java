package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.local.image.registry.PullStep;
import gpuaas.local.image.registry.RegistryFront;
import gpuaas.local.image.registry.TestRegistry;
import gpuaas.local.linux.MarkedProcesses;
import gpuaas.local.linux.SystemCalls;
import gpuaas.spi.InstanceRef;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server that is killed while an image comes: nothing half made is used, nothing is left. */
class RegistryCrashTest {

  private static final int KILLED = 128 + SystemCalls.SIGKILL;

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  private TestRegistry registry;

  @BeforeEach
  void start() throws IOException {
    registry = TestRegistry.start(folder.resolve("registry"));
  }

  @AfterEach
  void stop() {
    registry.close();
  }

  private static Map<String, String> settings(String registry) {
    return Map.of(
        "driver", "runc", "egress", "off", "disk-pool-gib", "0", "image-insecure", registry);
  }

  /** A process that makes an environment and kills itself after a step. */
  static final class Killed {
    private Killed() {}

    /** With the data folder, the registry, and the step. */
    public static void main(String[] arguments) throws InterruptedException {
      StepHook kill =
          new StepHook() {
            @Override
            public void after(Step step) {
              // The probe of the drivers has no steps, so this is the environment's.
              end(step.name());
            }

            @Override
            public void afterPull(PullStep step) {
              end(step.name());
            }

            private void end(String step) {
              if (step.equals(arguments[2])) {
                try {
                  SystemCalls.kill(ProcessHandle.current().pid(), SystemCalls.SIGKILL);
                } catch (IOException failure) {
                  throw new IllegalStateException(failure);
                }
              }
            }
          };
      LocalProvider provider = Inside.open(Path.of(arguments[0]), settings(arguments[1]), kill);
      provider.create(RegistryImageTest.request(provider, 1, arguments[1] + "/crash:1"));
      new CountDownLatch(1).await(60, TimeUnit.SECONDS);
    }
  }

  private Process startKilled(String name, String step) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            Killed.class.getName(),
            folder.resolve("data").toString(),
            name,
            step)
        .inheritIO()
        .start();
  }

  private File[] entries(String part) {
    return Objects.requireNonNullElse(
        folder.resolve("data").resolve(part).toFile().listFiles(), new File[0]);
  }

  private InstanceRef left() {
    assertThat(entries("environments")).hasSize(1);
    return new InstanceRef("local", entries("environments")[0].getName());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "STATE",
        "RESOLVED",
        "COPIED",
        "UNPACKED",
        "PLACED",
        "FILES",
        "MOUNTED",
        "STARTED"
      })
  void whatWasBegunIsBegunAnewByTheNextServer(String step) throws Exception {
    // The environment comes up from a whole image all the same, and so does the next one.
    registry.tiny("crash").push("crash:1");
    assertThat(startKilled(registry.name(), step).waitFor()).isEqualTo(KILLED);
    try (LocalProvider next = Inside.open(folder.resolve("data"), settings(registry.name()))) {
      InstanceRef left = left();
      Inside.eventually("it is up", () -> RegistryImageTest.isUp(next, left));
      assertThat(Inside.run(next, left, "cat /word").output()).isEqualTo("crash\n");
      cleanUp(next, left, registry.name());
    }
  }

  private void cleanUp(LocalProvider provider, InstanceRef left, String name) {
    provider.destroy(left);
    Inside.eventually("nothing is left", () -> Inside.traces(left.id()).isEmpty());
    InstanceRef other = RegistryImageTest.up(provider, 2, name + "/crash:1");
    assertThat(Inside.run(provider, other, "cat /word").output()).isEqualTo("crash\n");
    Inside.destroyAll(provider);
    Inside.eventually("no draft", () -> entries("registry-images/drafts").length == 0);
    assertThat(entries("registry-images/images")).hasSize(1);
    assertThat(entries("environments")).isEmpty();
  }

  @Test
  void whatAKilledServerHasLeftAtWorkIsEnded() throws Exception {
    // In the middle of a layer the server dies and skopeo lives on; the next server ends it.
    registry.tiny("crash").push("crash:1");
    AtomicBoolean stalls = new AtomicBoolean(true);
    CountDownLatch end = new CountDownLatch(1);
    RegistryFront.Answer stall =
        exchange -> {
          if (!stalls.get() || !exchange.getRequestURI().getPath().contains("/blobs/")) {
            return false;
          }
          exchange.sendResponseHeaders(200, 1_000_000);
          exchange.getResponseBody().write(new byte[100_000]);
          exchange.getResponseBody().flush();
          try {
            end.await();
          } catch (InterruptedException closing) {
            throw new IOException(closing);
          }
          return true;
        };
    try (RegistryFront front = new RegistryFront(registry, stall)) {
      Process doomed = startKilled(front.name(), "never");
      String mark = folder.resolve("data/registry-images/registries.conf").toString();
      Path draft = folder.resolve("data/registry-images/drafts/2/layout");
      Inside.eventually("half a layer is here", () -> hasPart(draft.toFile()));
      doomed.destroyForcibly().waitFor();
      assertThat(MarkedProcesses.find("skopeo", mark)).isNotEmpty();
      stalls.set(false);
      try (LocalProvider next = Inside.open(folder.resolve("data"), settings(front.name()))) {
        InstanceRef left = left();
        Inside.eventually("it is up", () -> RegistryImageTest.isUp(next, left));
        assertThat(MarkedProcesses.find("skopeo", mark)).isEmpty();
        cleanUp(next, left, front.name());
      }
      end.countDown();
    }
  }

  private static boolean hasPart(File layout) {
    File[] files = Objects.requireNonNullElse(layout.listFiles(), new File[0]);
    for (File file : files) {
      if (file.getName().startsWith("oci-put-blob") && file.length() > 0) {
        return true;
      }
    }
    return false;
  }
}
