package gpuaas.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.image.registry.RegistryFront;
import gpuaas.local.image.registry.TestRegistry;
import gpuaas.local.linux.SystemCalls;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.ProviderException.Rejected;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images that cannot be had: what is said, that it is said for good, and that nothing is left. */
class RegistryFailureTest {

  private static final String INDEX = "application/vnd.oci.image.index.v1+json";
  private static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";

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

  private LocalProvider open(Map<String, String> more) {
    Map<String, String> settings =
        new HashMap<>(Map.of("driver", "runc", "egress", "off", "disk-pool-gib", "0"));
    settings.put("image-insecure", registry.name());
    settings.putAll(more);
    return Inside.open(folder.resolve("data"), settings);
  }

  /** Asks for an image, waits until that has failed, and says why; then nothing is left. */
  private String why(LocalProvider provider, String image) throws IOException {
    InstanceRef made = provider.create(RegistryImageTest.request(provider, 1, image));
    Inside.eventually(
        "it has failed",
        () -> !(provider.inspect(made).orElseThrow() instanceof InstanceStatus.Starting));
    InstanceStatus status = provider.inspect(made).orElseThrow();
    assertThat(status).isInstanceOf(InstanceStatus.Failed.class);
    assertThat(provider.list(Inside.DEPLOYMENT)).hasSize(1);
    provider.destroy(made);
    assertThat(provider.inspect(made)).isEmpty();
    Inside.eventually("nothing is left", () -> Inside.traces(made.id()).isEmpty());
    assertThat(provider.offers(OfferQuery.all()).getFirst().gpuCountMost()).isEqualTo(8);
    for (String part : List.of("drafts", "images")) {
      Path path = folder.resolve("data/registry-images").resolve(part);
      Inside.eventually(part + " is empty", () -> path.toFile().list().length == 0);
    }
    return ((InstanceStatus.Failed) status).why();
  }

  private String image(String name) {
    return registry.name() + "/" + name;
  }

  @Test
  void whatCannotBeUsedIsSaid() throws Exception {
    // Each reason in a sentence of its own, for the one who asked.
    registry.tiny("x").config("--architecture", "arm64").push("other:1");
    registry.empty().layer("mkdir etc; touch etc/file").push("no-shell:1");
    registry.tiny("x").layer("touch file; chown 70000 file").push("far:1");
    String small = "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":400,\"platform\":%s}";
    String digest = registry.tiny("x").push("listed:amd64");
    String arm = "{\"os\":\"linux\",\"architecture\":\"arm64\"}";
    String list = "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]}";
    registry.putManifest(
        "listed", "arm", INDEX, list.formatted(INDEX, small.formatted(MANIFEST, digest, arm)));
    try (LocalProvider provider = open(Map.of())) {
      assertThat(why(provider, image("nothing:1")))
          .contains("there is no image " + image("nothing:1"));
      assertThat(why(provider, image("other:9"))).contains("there is no image");
      assertThat(why(provider, image("other:1"))).contains("not for linux/amd64", "linux/arm64");
      assertThat(why(provider, image("listed:arm"))).contains("not for linux/amd64", "linux/arm64");
      assertThat(why(provider, image("no-shell:1"))).contains("no program sh");
      assertThat(why(provider, image("far:1"))).contains("belongs to an id beyond 65535");
      assertThat(why(provider, "127.0.0.1:" + TestRegistry.freePort() + "/x"))
          .contains("private address, and no setting names it");
    }
  }

  @Test
  void aListOfImagesMeansTheOneForThisMachine() throws Exception {
    // Whatever else is in it; and by the list's digest it is found again.
    String digest = registry.tiny("mine").push("listed:amd64");
    String entry = "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":400,\"platform\":%s}";
    String mine =
        entry.formatted(MANIFEST, digest, "{\"os\":\"linux\",\"architecture\":\"amd64\"}");
    String manifest = "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[%s]}";
    registry.putManifest("listed", "all", INDEX, manifest.formatted(INDEX, mine));
    try (LocalProvider provider = open(Map.of())) {
      InstanceRef made = RegistryImageTest.up(provider, 1, image("listed:all"));
      assertThat(Inside.run(provider, made, "cat /word").output()).isEqualTo("mine\n");
      Inside.destroyAll(provider);
    }
  }

  @Test
  void aRegistryThatIsNotThereIsSaid() throws Exception {
    // A closed port and a name that nobody knows.
    String closed = "127.0.0.1:" + TestRegistry.freePort();
    try (LocalProvider provider = open(Map.of("image-insecure", closed))) {
      assertThat(why(provider, closed + "/x")).contains("cannot be reached", "connection refused");
      assertThat(why(provider, "nobody.invalid/x")).contains("nobody.invalid is unknown");
    }
    try (LocalProvider provider = open(Map.of("image-registries", "ghcr.io"))) {
      assertThatThrownBy(
              () -> provider.create(RegistryImageTest.request(provider, 1, image("x:1"))))
          .isInstanceOf(Rejected.class)
          .hasMessageContaining("may not be used here");
    }
  }

  @Test
  void aPrivateRegistryWantsALogIn() throws Exception {
    // Without it that is said, with it the image comes; and what the file holds is never said.
    registry.tiny("private").push("private:1");
    String right = Base64.getEncoder().encodeToString("team:hidden-word".getBytes(UTF_8));
    RegistryFront.Answer guard =
        exchange -> {
          if (("Basic " + right).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            return false;
          }
          exchange.getResponseHeaders().set("WWW-Authenticate", "Basic realm=\"team\"");
          RegistryFront.send(
              exchange,
              401,
              "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"no\"}]}".getBytes(UTF_8));
          return true;
        };
    try (RegistryFront front = new RegistryFront(registry, guard)) {
      try (LocalProvider provider = open(Map.of("image-insecure", front.name()))) {
        assertThat(why(provider, front.name() + "/private:1")).contains("wants a log-in");
      }
      Path file = folder.resolve("auth.json");
      Map<String, String> settings =
          Map.of("image-insecure", front.name(), "image-credentials", file.toString());
      Files.writeString(
          file, "{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}".formatted(front.name(), "aGk6aGk="));
      try (LocalProvider provider = open(settings)) {
        assertThat(why(provider, front.name() + "/private:1"))
            .contains("wants a log-in")
            .doesNotContain("aGk6aGk=");
      }
      Files.writeString(
          file, "{\"auths\":{\"%s\":{\"auth\":\"%s\"}}}".formatted(front.name(), right));
      try (LocalProvider provider = open(settings)) {
        InstanceRef made = RegistryImageTest.up(provider, 1, front.name() + "/private:1");
        assertThat(Inside.run(provider, made, "cat /word").output()).isEqualTo("private\n");
        Inside.destroyAll(provider);
      }
    }
  }

  @Test
  void aRegistryThatStandsStillInMidLayerIsGivenUp() throws Exception {
    // Half a layer comes and then nothing; after the time for that, it has failed.
    registry.tiny("slow").push("slow:1");
    CountDownLatch end = new CountDownLatch(1);
    RegistryFront.Answer stall =
        exchange -> {
          if (!exchange.getRequestURI().getPath().contains("/blobs/")) {
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
      Map<String, String> settings =
          Map.of("image-insecure", front.name(), "image-stall-seconds", "1");
      try (LocalProvider provider = open(settings)) {
        assertThat(why(provider, front.name() + "/slow:1")).contains("nothing has come");
      }
      end.countDown();
    }
  }

  @Test
  void aManifestThatIsABombIsRefused() throws Exception {
    // Ten thousand layers, ten megabytes, something else than was asked for, and no JSON at all.
    registry.tiny("x").push("bomb:1");
    String blob = "{\"digest\":\"sha256:%064d\",\"size\":1}";
    String layers =
        String.join(",", Stream.generate(() -> blob.formatted(7)).limit(10_000).toList());
    String many =
        "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}".formatted(blob.formatted(1), layers);
    Map<String, String> manifests =
        Map.of(
            "many",
            many,
            "long",
            "{\"schemaVersion\":2,\"x\":\"" + "x".repeat(10_000_000) + "\"}",
            "text",
            "this is no manifest",
            "old",
            "{\"schemaVersion\":1}",
            "huge",
            "{\"schemaVersion\":2,\"config\":%s,\"layers\":[{\"digest\":\"sha256:%064d\",\"size\":%d}]}"
                .formatted(blob.formatted(1), 1, Long.MAX_VALUE / 2));
    RegistryFront.Answer answer =
        exchange -> {
          String path = exchange.getRequestURI().getPath();
          String manifest = manifests.get(path.substring(path.lastIndexOf('/') + 1));
          if (manifest == null) {
            return false;
          }
          exchange.getResponseHeaders().set("Content-Type", MANIFEST);
          RegistryFront.send(exchange, 200, manifest.getBytes(UTF_8));
          return true;
        };
    try (RegistryFront front = new RegistryFront(registry, answer);
        LocalProvider provider = open(Map.of("image-insecure", front.name()))) {
      assertThat(why(provider, front.name() + "/bomb:many")).contains("10000 layers; at most 512");
      assertThat(why(provider, front.name() + "/bomb:long")).contains("cannot be used");
      assertThat(why(provider, front.name() + "/bomb:text")).contains("cannot be");
      assertThat(why(provider, front.name() + "/bomb:old")).contains("cannot be");
      assertThat(why(provider, front.name() + "/bomb:huge")).contains("larger than");
    }
  }

  @Test
  void withoutRoomNothingIsLeft() throws Exception {
    // A data folder that is a small file system: there is no room, that is said, and all is free.
    registry.tiny("x").layer("head -c 40000000 /dev/zero > zeros").push("large:1");
    Path data = Files.createDirectories(folder.resolve("data"));
    SystemCalls.mount("tmpfs", data, "tmpfs", 0, "size=540m");
    try (LocalProvider provider = open(Map.of())) {
      assertThat(why(provider, image("large:1"))).contains("no room left");
      Inside.destroyAll(provider);
    } finally {
      SystemCalls.unmount(data);
    }
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx------"));
  }
}
