package gpuaas.local.image.registry;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.local.LinksAreFine;
import gpuaas.local.image.ImageConfig;
import gpuaas.local.image.RootPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is kept of images, and what goes first. */
class ImageStoreTest {

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  private final AtomicLong seconds = new AtomicLong(1_000);

  private ImageStore open() throws IOException {
    return ImageStore.open(folder, () -> Instant.ofEpochSecond(seconds.incrementAndGet()));
  }

  private static String digest(int number) {
    return "sha256:%064d".formatted(number);
  }

  /** An image of a thousand bytes, with a blob of its own and one that all share. */
  private void add(ImageStore store, int number) throws IOException {
    Path draft = store.newDraft();
    Files.createDirectories(draft.resolve("root"));
    List<String> blobs = List.of(digest(100 + number), digest(999));
    for (String blob : blobs) {
      Files.write(store.blobs().resolve(blob.replace(':', '/')), new byte[100]);
    }
    ImageConfig config = new ImageConfig(Map.of("A", "b"), "/work");
    store.claim("maker", digest(number));
    store.place(draft, new StoredImage(digest(number), digest(50 + number), blobs, 1000, config));
    store.release("maker");
  }

  @Test
  void whatIsUnusedTheLongestGoesFirst() throws Exception {
    // Until the rest fits; what an environment has stays, whatever that takes.
    ImageStore store = open();
    for (int number = 1; number <= 4; number++) {
      add(store, number);
    }
    store.claim("environment", digest(1));
    store.claim("visitor", digest(52));
    store.release("visitor");
    assertThat(store.size()).isEqualTo(4500);
    store.collect(4500);
    assertThat(store.size()).isEqualTo(4500);
    store.claim("again", digest(2));
    store.release("again");
    store.collect(2400);
    assertThat(store.find(digest(1))).isPresent();
    assertThat(store.find(digest(2))).isPresent();
    assertThat(store.find(digest(3))).isEmpty();
    assertThat(store.find(digest(4))).isEmpty();
    assertThat(store.size()).isEqualTo(2300);
    store.collect(0);
    assertThat(store.find(digest(1))).isPresent();
    assertThat(store.find(digest(2))).isEmpty();
    assertThat(store.size()).isEqualTo(1200);
  }

  @Test
  void nothingGoesWhileSomethingComes() throws Exception {
    // What is being fetched may be made of blobs that are here already.
    ImageStore store = open();
    add(store, 1);
    store.beginPull();
    store.collect(0);
    assertThat(store.find(digest(1))).isPresent();
    store.endPull();
    store.collect(0);
    assertThat(store.size()).isZero();
  }

  @Test
  void theNextProcessFindsWhatIsWhole() throws Exception {
    // By either digest; a draft is gone, and so is an image whose note cannot be read.
    ImageStore store = open();
    add(store, 1);
    add(store, 2);
    Path draft = store.newDraft();
    Path bad = folder.resolve("images/" + digest(2).replace(':', '-') + "/image.json");
    Files.writeString(bad, "{\"digest\":");
    ImageStore next = open();
    assertThat(next.find(digest(1)))
        .isPresent()
        .isEqualTo(next.find(digest(51)))
        .isEqualTo(store.find(digest(1)));
    assertThat(next.find(digest(2))).isEmpty();
    assertThat(draft).doesNotExist();
    assertThat(bad.getParent()).doesNotExist();
  }

  @Test
  void linksInARootStayInside() throws Exception {
    // As a program inside sees them, whatever there is outside; circles lead nowhere.
    Files.createDirectories(folder.resolve("usr/bin"));
    Files.writeString(folder.resolve("usr/bin/tool"), "");
    Files.createSymbolicLink(folder.resolve("bin"), Path.of("/usr/bin"));
    Files.createSymbolicLink(folder.resolve("up"), Path.of("../../../../etc"));
    Files.createSymbolicLink(folder.resolve("round"), Path.of("round"));
    assertThat(RootPath.find(folder, "/bin/tool")).contains(folder.resolve("usr/bin/tool"));
    assertThat(RootPath.find(folder, "/bin/sh")).isEmpty();
    assertThat(RootPath.find(folder, "/up/passwd")).isEmpty();
    assertThat(RootPath.find(folder, "/round")).isEmpty();
    assertThat(RootPath.find(folder, "/../../usr/./bin")).contains(folder.resolve("usr/bin"));
  }
}
