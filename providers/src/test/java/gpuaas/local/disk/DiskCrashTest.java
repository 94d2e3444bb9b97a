package gpuaas.local.disk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.LinksAreFine;
import gpuaas.local.disk.PoolPlace.Store;
import gpuaas.local.linux.SystemCalls;
import gpuaas.spi.disk.DiskRequest;
import gpuaas.spi.disk.Disks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Work on disks that ends anywhere: made again, it ends well, and nothing is left over. */
class DiskCrashTest {

  private static final long SIZE = 64L << 20;
  private static final byte[] DATA = "what somebody keeps\n".repeat(50_000).getBytes(UTF_8);
  private static final int KILLED = 128 + SystemCalls.SIGKILL;

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  @AfterEach
  void leaveNothing() throws IOException {
    TestDisks.leaveNothing(folder);
  }

  /** What can be done with disks; before each there is a disk and a snapshot, with data. */
  enum Work {
    CREATE,
    CLONE,
    SNAPSHOT,
    RESIZE,
    DELETE,
    DELETE_SNAPSHOT;

    void on(Disks disks) {
      switch (this) {
        case CREATE -> disks.create(new DiskRequest("new", SIZE, Optional.empty()));
        case CLONE -> disks.create(new DiskRequest("new", SIZE, Optional.of("kept")));
        case SNAPSHOT -> disks.snapshot("disk", "new");
        case RESIZE -> disks.resize("disk", 2 * SIZE);
        case DELETE -> disks.delete("disk");
        case DELETE_SNAPSHOT -> disks.deleteSnapshot("kept");
      }
    }

    List<DiskStep> steps() {
      return switch (this) {
        case CREATE, CLONE, SNAPSHOT ->
            List.of(
                DiskStep.DRAFT, DiskStep.VOLUME, DiskStep.LIMIT, DiskStep.NOTE, DiskStep.PLACED);
        case RESIZE -> List.of(DiskStep.LIMIT);
        case DELETE, DELETE_SNAPSHOT -> List.of(DiskStep.TAKEN_OUT, DiskStep.VOLUME_GONE);
      };
    }
  }

  /** The end of the server's process, as far as the work in hand can tell. */
  private static final class Crash extends Error {
    private static final long serialVersionUID = 1;
  }

  static Stream<Arguments> everyStep() {
    List<Arguments> all = new ArrayList<>();
    for (Store store : List.of(Store.BTRFS, Store.FOLDERS)) {
      for (Work work : Work.values()) {
        work.steps().forEach(step -> all.add(Arguments.of(store, work, step)));
      }
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("everyStep")
  void whateverWasCutShortIsDoneByDoingItAgain(Store store, Work work, DiskStep last)
      throws Exception {
    // The same call once more succeeds; data are whole; no draft, rubbish or subvolume is left.
    prepare(store);
    Consumer<DiskStep> crash =
        step -> {
          if (step == last) {
            throw new Crash();
          }
        };
    try (LocalDisks doomed = TestDisks.open(folder, store, crash)) {
      assertThatThrownBy(() -> work.on(doomed)).isInstanceOf(Crash.class);
    }
    repeatAndLook(store, work);
  }

  @ParameterizedTest
  @MethodSource("everyStep")
  void aFailureIsRepairedByTheSameProcess(Store store, Work work, DiskStep last) throws Exception {
    // No restart is needed: what fails once is not in the way of the next try.
    prepare(store);
    List<DiskStep> failed = new ArrayList<>();
    Consumer<DiskStep> failOnce =
        step -> {
          if (step == last && failed.isEmpty()) {
            failed.add(step);
            throw new IllegalStateException("failed after " + step);
          }
        };
    try (LocalDisks disks = TestDisks.open(folder, store, failOnce)) {
      assertThatThrownBy(() -> work.on(disks)).isInstanceOf(IllegalStateException.class);
      work.on(disks);
      assertNothingIsHalfMade(store);
    }
    repeatAndLook(store, work);
  }

  @ParameterizedTest
  @CsvSource({"CREATE,VOLUME", "CLONE,NOTE", "SNAPSHOT,VOLUME", "DELETE,TAKEN_OUT"})
  void aServerThatIsKilledLeavesAPoolThatTheNextOneTakesUp(Work work, DiskStep last)
      throws Exception {
    // A real process, a real SIGKILL: the pool stays mounted, once, and all goes on.
    prepare(Store.BTRFS);
    Process killed =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Killed.class.getName(),
                folder.toString(),
                work.name(),
                last.name())
            .inheritIO()
            .start();
    assertThat(killed.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(killed.exitValue()).isEqualTo(KILLED);
    assertThat(TestDisks.mounts(folder)).hasSize(1);
    repeatAndLook(Store.BTRFS, work);
  }

  /** A process that kills itself after a step. */
  static final class Killed {
    private Killed() {}

    /** With the folder, the work, and the step. */
    public static void main(String[] arguments) {
      DiskStep last = DiskStep.valueOf(arguments[2]);
      Consumer<DiskStep> kill =
          step -> {
            if (step == last) {
              try {
                SystemCalls.kill(ProcessHandle.current().pid(), SystemCalls.SIGKILL);
              } catch (IOException failure) {
                throw new IllegalStateException(failure);
              }
            }
          };
      LocalDisks disks = TestDisks.open(Path.of(arguments[0]), Store.BTRFS, kill);
      Work.valueOf(arguments[1]).on(disks);
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = Store.class,
      names = {"BTRFS", "FOLDERS"})
  void aPoolThatIsHalfMadeIsMadeAnew(Store store) throws Exception {
    // A draft of the pool's own file, or a folder without its parts, is no pool.
    Files.createDirectories(TestDisks.place(folder, store).dataFolder());
    Files.writeString(
        TestDisks.place(folder, store).file().resolveSibling("disks.btrfs.draft"), "");
    prepare(store);
    repeatAndLook(store, Work.CREATE);
  }

  @Test
  void aPoolIsNotMountedTwice() throws Exception {
    // Opened again and again, as after kills: one mount, one loop device, the same disks.
    prepare(Store.BTRFS);
    for (int i = 0; i < 3; i++) {
      // Not closed, as by a kill.
      assertThat(TestDisks.open(folder, Store.BTRFS, _ -> {}).list()).hasSize(1);
      assertThat(TestDisks.mounts(folder)).hasSize(1);
    }
    repeatAndLook(Store.BTRFS, Work.RESIZE);
  }

  private void prepare(Store store) throws IOException {
    try (LocalDisks disks = TestDisks.open(folder, store, _ -> {})) {
      disks.create(new DiskRequest("disk", SIZE, Optional.empty()));
      Path home = disks.home("disk", folder.resolve("no-such-folder"));
      Files.write(home.resolve("file"), DATA);
      disks.snapshot("disk", "kept");
    }
  }

  private void repeatAndLook(Store store, Work work) throws Exception {
    try (LocalDisks disks = TestDisks.open(folder, store, _ -> {})) {
      disks.openIfThere();
      assertNothingIsHalfMade(store);
      work.on(disks);
      work.on(disks);
      assertNothingIsHalfMade(store);
      for (Disks.Disk disk : disks.list()) {
        boolean empty = disk.id().equals("new") && work == Work.CREATE;
        assertThat(disks.content(disk.id()).contains("file")).isNotEqualTo(empty);
        if (!empty) {
          assertThat(file(store, "disks", disk.id())).hasBinaryContent(DATA);
        }
      }
      for (Disks.Snapshot snapshot : disks.snapshots()) {
        assertThat(file(store, "snapshots", snapshot.id())).hasBinaryContent(DATA);
      }
      assertThat(disks.list())
          .hasSize(
              switch (work) {
                case CREATE, CLONE -> 2;
                case SNAPSHOT, RESIZE, DELETE_SNAPSHOT -> 1;
                case DELETE -> 0;
              });
      assertThat(disks.snapshots())
          .hasSize(
              switch (work) {
                case SNAPSHOT -> 2;
                case CREATE, CLONE, RESIZE, DELETE -> 1;
                case DELETE_SNAPSHOT -> 0;
              });
      if (work == Work.RESIZE) {
        assertThat(disks.list().getFirst().sizeBytes()).isEqualTo(2 * SIZE);
      }
    }
    assertThat(TestDisks.mounts(folder)).isEmpty();
  }

  private Path file(Store store, String kind, String id) {
    return TestDisks.place(folder, store).target().resolve(kind).resolve(id).resolve("data/file");
  }

  private void assertNothingIsHalfMade(Store store) throws IOException {
    Path root = TestDisks.place(folder, store).target();
    for (String part : List.of("drafts", "rubbish")) {
      try (Stream<Path> entries = Files.list(root.resolve(part))) {
        assertThat(entries).as(part).isEmpty();
      }
    }
  }
}
