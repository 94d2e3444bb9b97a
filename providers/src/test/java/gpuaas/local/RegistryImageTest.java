package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.image.registry.PullStep;
import gpuaas.local.image.registry.TestRegistry;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.ProviderException.Rejected;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Environments from images of a real registry. */
class RegistryImageTest {

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

  private Map<String, String> settings() {
    return Map.of("driver", "runc", "egress", "off", "image-registries", registry.name());
  }

  private LocalProvider open(StepHook steps) {
    return Inside.open(folder.resolve("data"), settings(), steps);
  }

  static InstanceRequest request(LocalProvider provider, int number, String image) {
    InstanceRequest host = Inside.request(provider, number, List.of());
    return new InstanceRequest(
        host.tag(), host.offer(), "", List.of(), image, List.of(), Map.of(), host.hostName());
  }

  static InstanceRef up(LocalProvider provider, int number, String image) {
    InstanceRef made = provider.create(request(provider, number, image));
    Inside.eventually("it is up", () -> isUp(provider, made));
    return made;
  }

  static boolean isUp(LocalProvider provider, InstanceRef made) {
    return switch (provider.inspect(made).orElseThrow()) {
      case InstanceStatus.Up _ -> true;
      case InstanceStatus.Starting _ -> false;
      case InstanceStatus.Failed failed -> throw new AssertionError(failed.why());
    };
  }

  private String image(String name) {
    return registry.name() + "/" + name;
  }

  @Test
  void layersAreLaidOverEachOtherAsTheySay() throws Exception {
    // Whiteouts, opaque folders, links, owners and set-user-id bits are what the image says; a
    // layer that writes through a link writes inside; and what somebody changes is his own.
    Path outside = Files.createDirectories(folder.resolve("outside"));
    Files.setPosixFilePermissions(outside, PosixFilePermissions.fromString("rwxrwxrwx"));
    registry
        .tiny("one")
        .layer("mkdir -p data/deep kept; echo a > data/a; echo b > data/deep/b; echo k > kept/k")
        .layer("mkdir data; touch data/.wh.a; mkdir kept; touch kept/.wh..wh..opq; echo n > kept/n")
        .layer(
            """
            echo twice > first; ln first second; ln -s %s escape; ln -s /no/where nowhere
            mkdir bin; cp /bin/busybox bin/set; chmod 4755 bin/set; mkdir owned
            chown 1234:65535 owned; chmod 2750 owned; mknod node c 1 3
            """
                .formatted(outside))
        .archive(through(outside, "escape"))
        .push("layers:1");
    try (LocalProvider provider = open(StepHook.NONE)) {
      InstanceRef made = up(provider, 1, image("layers:1"));
      assertThat(said(provider, made, "ls /data /data/deep /kept"))
          .isEqualTo("/data:\ndeep\n\n/data/deep:\nb\n\n/kept:\nn\n");
      assertThat(said(provider, made, "stat -c %h:%u:%g:%a /first /bin/set /owned"))
          .isEqualTo("2:0:0:644\n1:0:0:4755\n2:1234:65535:2750\n");
      assertThat(said(provider, made, "readlink /escape; readlink /nowhere; stat -c %F /node"))
          .isEqualTo(outside + "\n/no/where\nregular empty file\n");
      assertThat(said(provider, made, "cat " + outside + "/evil")).isEqualTo("evil\n");
      assertThat(said(provider, made, "echo mine > /word; cat /word; id -u"))
          .isEqualTo("mine\n0\n");
      InstanceRef second = up(provider, 2, image("layers:1"));
      assertThat(said(provider, second, "cat /word")).isEqualTo("one\n");
      Inside.destroyAll(provider);
    }
    try (Stream<Path> nothing = Files.list(outside)) {
      assertThat(nothing).isEmpty();
    }
  }

  /** A layer that writes a file in a folder which is a link in the layer before. */
  private Path through(Path outside, String link) throws Exception {
    Path archive = folder.resolve("through.tar");
    Files.writeString(folder.resolve("evil"), "evil\n");
    String rename = "--transform=s#^evil#" + link + "/evil#";
    Process tar =
        new ProcessBuilder(
                "tar", "-C", folder.toString(), rename, "-cf", archive.toString(), "evil")
            .inheritIO()
            .start();
    assertThat(tar.waitFor()).isZero();
    assertThat(outside).isDirectory();
    return archive;
  }

  private static String said(LocalProvider provider, InstanceRef made, String script) {
    Inside.Said said = Inside.run(provider, made, script);
    assertThat(said.error()).isEmpty();
    return said.output();
  }

  @Test
  void whatAnImageSaysOfItselfCounts() throws Exception {
    // Variables everywhere, the path in login shells too, the work folder as the place to begin;
    // but one is root at home, and the machine says what was asked for.
    String digest =
        registry
            .tiny("said")
            .layer("mkdir -p opt/tool/bin work; cp /bin/busybox opt/tool/bin/hello")
            .config("--config.env", "PATH=/opt/tool/bin:/bin", "--config.env", "FLAVOUR=sweet sour")
            .config("--config.workingdir", "/work", "--config.user", "1234")
            .config("--config.env", "HOME=/elsewhere")
            .push("team/said:1");
    try (LocalProvider provider = open(StepHook.NONE)) {
      InstanceRef made = up(provider, 1, image("team/said:1"));
      assertThat(said(provider, made, "echo $FLAVOUR $HOME $SHELL $PATH; pwd; id -u; id -un"))
          .isEqualTo("sweet sour /root /bin/sh /opt/tool/bin:/bin\n/work\n0\nroot\n");
      assertThat(said(provider, made, "sh -l -c 'echo $PATH'")).isEqualTo("/opt/tool/bin:/bin\n");
      assertThat(said(provider, made, "cat /run/gpuaas/image"))
          .isEqualTo(
              "asked: %s\nused: %s %s\n"
                  .formatted(image("team/said:1"), image("team/said:1"), digest));
      assertThat(said(provider, made, "cat /etc/hostname; cat /etc/hosts"))
          .startsWith("env-1\n127.0.0.1 localhost env-1\n");
      ExecRequest login =
          new ExecRequest(
              List.of(), Optional.of(new ExecRequest.Terminal("xterm", 80, 24)), Map.of());
      try (ExecChannel channel = provider.exec(made, login)) {
        Typist typist = new Typist(channel);
        typist.type("echo at $PWD as $USER by $PATH\n");
        typist.await("at /work as root by /opt/tool/bin:/bin");
      }
      Inside.destroyAll(provider);
    }
  }

  @Test
  void aTagThatMovesChangesNoEnvironment() throws Exception {
    // Who comes later gets the new image; who is there keeps the old one, over restarts too.
    String first = registry.tiny("old").push("moving:latest");
    InstanceRef old;
    try (LocalProvider provider = open(StepHook.NONE)) {
      old = up(provider, 1, image("moving"));
    }
    registry.tiny("new").push("moving:latest");
    try (LocalProvider provider = open(StepHook.NONE)) {
      InstanceRef fresh = up(provider, 2, image("moving"));
      assertThat(said(provider, fresh, "cat /word")).isEqualTo("new\n");
      assertThat(said(provider, old, "cat /word")).isEqualTo("old\n");
      // By its digest the old one is here, whatever the tag says: nobody is asked, none waits.
      registry.close();
      InstanceRef pinned = provider.create(request(provider, 3, image("moving@" + first)));
      assertThat(isUp(provider, pinned)).isTrue();
      assertThat(said(provider, pinned, "cat /word")).isEqualTo("old\n");
      Inside.destroyAll(provider);
    }
  }

  @Test
  void manyThatWantAnImageFetchItOnce() throws Exception {
    // However many ask at once, there is one image, fetched one time.
    registry.tiny("shared").push("shared:1");
    AtomicInteger fetched = new AtomicInteger();
    try (LocalProvider provider =
        open(
            pulls(step -> {
              if (step == PullStep.COPIED) {
                fetched.incrementAndGet();
              }
            }))) {
      List<InstanceRef> all =
          Stream.of(1, 2, 3)
              .map(number -> provider.create(request(provider, number, image("shared:1"))))
              .toList();
      all.forEach(made -> Inside.eventually("it is up", () -> isUp(provider, made)));
      assertThat(fetched).hasValue(1);
      Inside.destroyAll(provider);
    }
  }

  private static StepHook pulls(Consumer<PullStep> steps) {
    return new StepHook() {
      @Override
      public void after(Step step) {}

      @Override
      public void afterPull(PullStep step) {
        steps.accept(step);
      }
    };
  }

  /** Stops at a step until it is let go, or its thread is ended. */
  private static StepHook stopAt(PullStep stop, CountDownLatch reached, CountDownLatch go) {
    return pulls(step -> {
      if (step == stop) {
        reached.countDown();
        try {
          go.await();
        } catch (InterruptedException ended) {
          throw new IllegalStateException(ended);
        }
      }
    });
  }

  @Test
  void whoIsDestroyedWhileTheImageComesLeavesNothing() throws Exception {
    // It is listed from the start, says that it is starting, and goes; the image comes and stays.
    String digest = registry.tiny("late").push("late:1");
    CountDownLatch reached = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    try (LocalProvider provider = open(stopAt(PullStep.COPIED, reached, go))) {
      InstanceRef made = provider.create(request(provider, 1, image("late:1")));
      reached.await();
      assertThat(provider.list(Inside.DEPLOYMENT)).hasSize(1);
      assertThat(provider.inspect(made)).get().isInstanceOf(InstanceStatus.Starting.class);
      provider.destroy(made);
      assertThat(provider.inspect(made)).isEmpty();
      assertThat(provider.list(Inside.DEPLOYMENT)).isEmpty();
      Inside.eventually("nothing is left", () -> Inside.traces(made.id()).isEmpty());
      go.countDown();
      Path images = folder.resolve("data/registry-images/images");
      Inside.eventually("the image is here", () -> images.toFile().list().length == 1);
      InstanceRef next = provider.create(request(provider, 1, image("late@" + digest)));
      assertThat(said(provider, next, "cat /word")).isEqualTo("late\n");
      Inside.destroyAll(provider);
    }
  }

  @Test
  void aServerThatIsStoppedMeanwhileGoesOnWhenItIsStartedAgain() throws Exception {
    // The environment is not lost: it is starting all the time, and then it is up.
    registry.tiny("again").push("again:1");
    CountDownLatch reached = new CountDownLatch(1);
    InstanceRef made;
    try (LocalProvider first = open(stopAt(PullStep.UNPACKED, reached, new CountDownLatch(1)))) {
      made = first.create(request(first, 1, image("again:1")));
      reached.await();
    }
    try (LocalProvider second = open(StepHook.NONE)) {
      Inside.eventually("it is up", () -> isUp(second, made));
      assertThat(said(second, made, "cat /word")).isEqualTo("again\n");
      Inside.destroyAll(second);
    }
  }

  @Test
  void withoutInternetAnOwnImageStandsForAll() throws Exception {
    // Nobody is asked, and the environment says what was asked for and what it is.
    Map<String, String> settings = Map.of("driver", "runc", "image-default", "host");
    try (LocalProvider provider = Inside.open(folder.resolve("data"), settings)) {
      InstanceRef made = provider.create(request(provider, 1, "pytorch/pytorch:2.8.0"));
      assertThat(said(provider, made, "cat /run/gpuaas/image"))
          .isEqualTo("asked: docker.io/pytorch/pytorch:2.8.0\nused: host\n");
      assertThatThrownBy(() -> provider.create(request(provider, 2, "Not A Name")))
          .isInstanceOf(Rejected.class);
      Inside.destroyAll(provider);
    }
  }

  @Test
  void aMirrorIsAskedInPlaceOfARegistry() throws Exception {
    // The name stays what it was; what is behind it is the mirror's.
    registry.tiny("mirrored").push("library/mirrored:1");
    Map<String, String> settings =
        Map.of("driver", "runc", "egress", "off", "image-mirror", "docker.io=" + registry.name());
    try (LocalProvider provider = Inside.open(folder.resolve("data"), settings)) {
      InstanceRef made = up(provider, 1, "mirrored:1");
      assertThat(said(provider, made, "cat /word; cat /run/gpuaas/image"))
          .startsWith("mirrored\nasked: docker.io/library/mirrored:1\n");
      Inside.destroyAll(provider);
    }
  }
}
