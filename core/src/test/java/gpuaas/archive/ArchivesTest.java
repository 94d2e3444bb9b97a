package gpuaas.archive;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.archive.Archive.Owner;
import gpuaas.archive.Archives.Progress;
import gpuaas.base.Ids;
import gpuaas.lease.Desk;
import gpuaas.ledger.LedgerRules;
import gpuaas.provider.Providers;
import gpuaas.spi.Eventually;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.Tier;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files are kept whole or said to be lost; with a real tar and a real database. */
class ArchivesTest {

  private static final Duration SOON = Duration.ofSeconds(30);

  @TempDir private Path folder;

  private final Desk desk = new Desk(LedgerRules.standard(), 8);

  @AfterEach
  void close() {
    desk.close();
  }

  private Archives archives(ArchiveRules rules) {
    return new Archives(
        desk.database,
        new Providers(Map.of("shell", new ShellProvider(folder.resolve("homes")))),
        Ids.timeOrdered(desk.clock),
        desk.clock,
        rules);
  }

  private ArchiveRules rules() {
    return ArchiveRules.standard(folder.resolve("archives"));
  }

  private Owner owner(String name) {
    UUID lease = desk.request(1, Tier.ON_DEMAND);
    return new Owner(lease, Desk.OWNER, name);
  }

  private Path home(String machine) throws IOException {
    return Files.createDirectories(folder.resolve("homes").resolve(machine));
  }

  private static InstanceRef machine(String name) {
    return new InstanceRef("shell", name);
  }

  private static Progress ends(Supplier<Progress> look) {
    AtomicReference<Progress> last = new AtomicReference<>();
    Eventually.within(
        SOON,
        "it is over",
        () -> {
          last.set(look.get());
          return last.get() != Progress.UNDER_WAY;
        });
    return last.get();
  }

  private Progress save(Archives archives, Owner owner, String machine) {
    Instant since = desk.clock.instant();
    return ends(() -> archives.save(owner, machine(machine), since));
  }

  private List<String> kept() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("archives"))) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void whatIsKeptIsThereAgain() throws Exception {
    // The tree comes back with its modes and links; the keys of the old machine do not.
    Archives archives = archives(rules());
    Path first = home("first");
    Files.createDirectories(first.resolve("work/deep/.hidden"));
    Files.writeString(first.resolve("work/run.sh"), "echo hello\n");
    Files.setPosixFilePermissions(
        first.resolve("work/run.sh"),
        java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-x---"));
    Files.createSymbolicLink(first.resolve("link to it"), Path.of("work/run.sh"));
    byte[] weights = new byte[3_000_000];
    new Random(1).nextBytes(weights);
    Files.write(first.resolve("work/deep/.hidden/weights"), weights);
    Files.createDirectory(first.resolve(".ssh"));
    Files.writeString(first.resolve(".ssh/authorized_keys"), "ssh-ed25519 old");
    Files.writeString(first.resolve(".ssh/config"), "Host *\n");
    Owner one = owner("team");
    assertThat(save(archives, one, "first")).isEqualTo(Progress.DONE);

    Path second = home("second");
    Files.createDirectory(second.resolve(".ssh"));
    Files.writeString(second.resolve(".ssh/authorized_keys"), "ssh-ed25519 new");
    Owner two = owner("team");
    assertThat(ends(() -> archives.restore(two, machine("second")))).isEqualTo(Progress.DONE);
    assertThat(second.resolve("work/deep/.hidden/weights")).hasBinaryContent(weights);
    assertThat(second.resolve("link to it")).isSymbolicLink().hasContent("echo hello\n");
    assertThat(Files.isExecutable(second.resolve("work/run.sh"))).isTrue();
    assertThat(second.resolve(".ssh/config")).hasContent("Host *\n");
    assertThat(second.resolve(".ssh/authorized_keys")).hasContent("ssh-ed25519 new");

    // Nobody else's begins with it; and it is asked for once.
    assertThat(archives.restore(owner("other"), machine("third"))).isEqualTo(Progress.DONE);
    assertThat(folder.resolve("homes/third")).doesNotExist();
    assertThat(archives.save(one, machine("first"), desk.clock.instant())).isEqualTo(Progress.DONE);
    assertThat(kept()).hasSize(1);
    assertThat(archives.details(one.lease())).containsKeys("bytes", "kept_until");
  }

  @Test
  void whatCannotBeKeptIsSaidToBeLost() throws Exception {
    // Too much: at once. A machine that does not answer: after its limit, not for ever.
    byte[] much = new byte[2 << 20];
    new Random(2).nextBytes(much);
    Files.write(home("big").resolve("much"), much);
    ArchiveRules small =
        new ArchiveRules(
            folder.resolve("archives"),
            1 << 20,
            0,
            Duration.ofMinutes(30),
            Duration.ofMinutes(30),
            Duration.ofDays(30),
            3);
    Archives archives = archives(small);
    Owner big = owner("big");
    assertThat(save(archives, big, "big")).isEqualTo(Progress.FAILED);
    assertThat(archives.find(big.lease()).orElseThrow().problem()).contains("more than 1 MiB");
    assertThat(kept()).isEmpty();
    assertThat(archives.restore(owner("big"), machine("next"))).isEqualTo(Progress.DONE);

    Owner silent = owner("silent");
    Instant since = desk.clock.instant();
    assertThat(archives.save(silent, machine("no-such"), since)).isEqualTo(Progress.UNDER_WAY);
    Eventually.within(SOON, "it was tried", () -> !archives.isBusy(silent.lease()));
    assertThat(archives.save(silent, machine("no-such"), since)).isEqualTo(Progress.UNDER_WAY);
    desk.clock.advance(small.saveLimit());
    assertThat(archives.save(silent, machine("no-such"), since)).isEqualTo(Progress.FAILED);
    assertThat(archives.details(silent.lease()).get("reason")).startsWith("not within");
    assertThat(archives.find(silent.lease()).orElseThrow().isKept()).isFalse();
  }

  @Test
  void aFullDiskOfTheControlPlaneIsNotFilledFurther() throws Exception {
    Files.writeString(home("full").resolve("a"), "a");
    ArchiveRules full =
        new ArchiveRules(
            folder.resolve("archives"),
            1 << 20,
            Long.MAX_VALUE,
            Duration.ofMinutes(30),
            Duration.ofMinutes(30),
            Duration.ofDays(30),
            3);
    Archives archives = archives(full);
    Owner owner = owner("full");
    assertThat(save(archives, owner, "full")).isEqualTo(Progress.FAILED);
    assertThat(archives.details(owner.lease()).get("reason")).contains("no room");
  }

  @Test
  void aDamagedArchiveIsNotTakenForAWholeOne() throws Exception {
    Files.writeString(home("one").resolve("a"), "precious");
    Archives archives = archives(rules());
    assertThat(save(archives, owner("x"), "one")).isEqualTo(Progress.DONE);
    Path file = folder.resolve("archives").resolve(kept().getFirst());
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length - 6] ^= 1;
    Files.write(file, bytes);
    home("two");
    Owner next = owner("x");
    assertThat(ends(() -> archives.restore(next, machine("two")))).isEqualTo(Progress.FAILED);
  }

  @Test
  void onlyTheNewestStay() throws Exception {
    // Of a name the newest three, none beyond its time, and no file that nobody knows.
    Archives archives = archives(rules());
    List<Owner> owners = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      Files.writeString(home("m").resolve("n"), "n" + i);
      owners.add(owner("x"));
      assertThat(save(archives, owners.get(i), "m")).isEqualTo(Progress.DONE);
      desk.clock.advance(Duration.ofMinutes(1));
    }
    Files.writeString(folder.resolve("archives/left-over.part"), "half");
    makeOld();
    archives.tidy();
    assertThat(kept()).hasSize(3).doesNotContain("left-over.part");
    assertThat(archives.find(owners.getFirst().lease())).isEmpty();
    home("next");
    Owner next = owner("x");
    assertThat(ends(() -> archives.restore(next, machine("next")))).isEqualTo(Progress.DONE);
    assertThat(folder.resolve("homes/next/n")).hasContent("n3");

    desk.clock.advance(rules().keptFor());
    archives.tidy();
    assertThat(kept()).isEmpty();
  }

  /** As the clock of the test has it, they were written long ago. */
  private void makeOld() throws IOException {
    for (String name : kept()) {
      Files.setLastModifiedTime(
          folder.resolve("archives").resolve(name),
          FileTime.from(desk.clock.instant().minus(Duration.ofDays(2))));
    }
  }
}
