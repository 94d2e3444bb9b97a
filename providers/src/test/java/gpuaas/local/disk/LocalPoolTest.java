package gpuaas.local.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.LinksAreFine;
import gpuaas.local.disk.PoolPlace.Store;
import gpuaas.local.image.IdRange;
import gpuaas.local.linux.Command;
import gpuaas.spi.ProviderException.Rejected;
import gpuaas.spi.ProviderException.Unavailable;
import gpuaas.spi.disk.DiskRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Which pool there is, what is said of it, and what it withstands. */
class LocalPoolTest {

  private static final long SIZE = 64L << 20;

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  @AfterEach
  void leaveNothing() throws IOException {
    TestDisks.leaveNothing(folder);
  }

  private static DiskRequest disk(String id) {
    return new DiskRequest(id, SIZE, Optional.empty());
  }

  private LocalDisks open(Store store, Optional<String> whyNoBtrfs) {
    PoolPlace place = TestDisks.place(folder, store);
    try {
      Files.createDirectories(place.dataFolder());
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    PoolPlace other =
        new PoolPlace(
            place.dataFolder(),
            place.target(),
            store,
            place.gib(),
            IdRange.SHIFTED,
            true,
            true,
            () -> whyNoBtrfs);
    return new LocalDisks("local", InstantSource.system(), other, _ -> {});
  }

  @Test
  void thisMachineCanHaveBtrfs() throws Exception {
    // The probe really tries, finds that limits hold, and leaves nothing.
    Path target = TestDisks.place(folder, Store.BTRFS).target();
    assertThat(new DiskProbe(folder.resolve("probe"), target).whyNot()).isEmpty();
    assertThat(folder.resolve("probe")).doesNotExist();
    assertThat(TestDisks.mounts(folder)).isEmpty();
    // Where it cannot even begin, that is a reason in words, not an exception.
    Path taken = Files.writeString(folder.resolve("taken"), "");
    assertThat(new DiskProbe(taken.resolve("probe"), target).whyNot()).isPresent();
  }

  @Test
  void withoutBtrfsThereAreFoldersAndTheReasonIsSaid() {
    // Before there is a pool, and with one; later it stays what it is, even if btrfs works by then.
    try (LocalDisks disks = open(Store.AUTO, Optional.of("there are no loop devices"))) {
      assertThat(disks.room().message()).isEqualTo("there are no loop devices");
      disks.create(disk("one"));
      assertThat(disks.room().enforced()).isFalse();
      assertThat(disks.room().message()).contains("there are no loop devices");
    }
    try (LocalDisks disks = open(Store.AUTO, Optional.empty())) {
      assertThat(disks.list()).hasSize(1);
      assertThat(disks.room().enforced()).isFalse();
    }
    try (LocalDisks disks = open(Store.BTRFS, Optional.empty())) {
      assertThatThrownBy(() -> disks.create(disk("two")))
          .isInstanceOf(Unavailable.class)
          .hasStackTraceContaining("set disk-store=folders");
    }
  }

  @Test
  void lookingMakesNoPool() {
    // Nobody who only asks for disks, or for room, gets a mount for it.
    try (LocalDisks disks = open(Store.AUTO, Optional.empty())) {
      disks.openIfThere();
      assertThat(disks.list()).isEmpty();
      assertThat(disks.snapshots()).isEmpty();
      assertThat(disks.room().enforced()).isTrue();
      assertThat(disks.room().totalBytes()).isEqualTo(1L << 30);
      assertThat(TestDisks.place(folder, Store.AUTO).isThere()).isFalse();
    }
    try (LocalDisks disks = open(Store.BTRFS, Optional.of("it is not installed"))) {
      assertThatThrownBy(() -> disks.create(disk("one")))
          .isInstanceOf(Unavailable.class)
          .hasStackTraceContaining("it is not installed");
    }
  }

  @Test
  void aPoolThatIsBrokenIsSaidAndNotReplaced() throws Exception {
    // A file that cannot be mounted may hold what people keep: nothing is made over it.
    Path file = TestDisks.place(folder, Store.AUTO).file();
    Files.createDirectories(file.getParent());
    Files.writeString(file, "no file system at all".repeat(1000));
    try (LocalDisks disks = open(Store.AUTO, Optional.empty())) {
      disks.openIfThere();
      assertThatThrownBy(() -> disks.create(disk("one"))).isInstanceOf(Unavailable.class);
      assertThatThrownBy(disks::list).isInstanceOf(Unavailable.class);
    }
    assertThat(Files.readString(file)).startsWith("no file system at all");
  }

  @Test
  void subvolumesOfATenantGoWithTheDisk() throws Exception {
    // Where nothing keeps a tenant from making some, deleting still works, whatever is in what.
    try (LocalDisks disks = open(Store.BTRFS, Optional.empty())) {
      disks.create(disk("one"));
      Path home = disks.home("one", folder.resolve("none"));
      for (String inner : List.of("a", "a/b", "a/b/c")) {
        String path = home.resolve(inner).toString();
        assertThat(Command.run(10, List.of("btrfs", "subvolume", "create", path)).ok()).isTrue();
      }
      disks.delete("one");
      assertThat(disks.list()).isEmpty();
      assertThat(home).doesNotExist();
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Store.class,
      names = {"BTRFS", "FOLDERS"})
  void manyAtOnceDoNotDisturbEachOther(Store store) throws Exception {
    // The same and different disks from many threads: each is made once, and one holder wins.
    try (LocalDisks disks = open(store, Optional.empty());
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Integer>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        String id = "disk-" + i % 4;
        String environment = "environment-" + i;
        calls.add(() -> {
          disks.create(disk(id));
          disks.snapshot(id, "of-" + id);
          disks.list();
          try {
            disks.take(environment, id);
            return 1;
          } catch (Rejected held) {
            return 0;
          }
        });
      }
      int holders = 0;
      for (var call : threads.invokeAll(calls)) {
        holders += call.get();
      }
      assertThat(holders).isEqualTo(4);
      assertThat(disks.list()).hasSize(4).allMatch(disk -> disk.attachedTo().isPresent());
      assertThat(disks.snapshots()).hasSize(4);
      for (int i = 0; i < 8; i++) {
        disks.release("environment-" + i);
      }
    }
  }

  @Test
  void whatDoesNotFitIsRefused() throws Exception {
    // A copy counts whole against the size of its disk; a smaller one could not be written to.
    try (LocalDisks disks = open(Store.BTRFS, Optional.empty())) {
      disks.create(disk("one"));
      Path home = disks.home("one", folder.resolve("none"));
      Files.write(home.resolve("file"), new byte[40 << 20]);
      disks.snapshot("one", "kept");
      var small = new DiskRequest("small", 32 << 20, Optional.of("kept"));
      assertThatThrownBy(() -> disks.create(small)).isInstanceOf(Rejected.class);
      assertThatThrownBy(() -> disks.resize("one", 32 << 20)).isInstanceOf(Rejected.class);
      disks.resize("one", 2L << 30); // more than there is: a promise, which takes no room
      disks.create(new DiskRequest("large", SIZE, Optional.of("kept")));
      assertThat(disks.list().getFirst().usedBytes()).isGreaterThan(40 << 20);
      assertThat(disks.list()).hasSize(2);
      disks.deleteSnapshot("kept");
      disks.create(new DiskRequest("large", SIZE, Optional.of("kept")));
    }
  }
}
