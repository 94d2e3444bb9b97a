package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.Inside.Said;
import gpuaas.local.StepHook.Step;
import gpuaas.local.disk.DiskStep;
import gpuaas.local.image.IdRange;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.ProviderException.NoCapacity;
import gpuaas.spi.ProviderException.Rejected;
import gpuaas.spi.disk.DiskRequest;
import gpuaas.spi.disk.Disks;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Disks as the home folders of real environments. */
class LocalDisksTest {

  private static final long MIB = 1L << 20;
  private static final Map<String, String> SETTINGS =
      Map.of("driver", "runc", "disk-pool-gib", "1", "egress", "off");

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  /** The end of the server's process, as far as the work in hand can tell. */
  private static final class Crash extends Error {
    private static final long serialVersionUID = 1;
  }

  /** Of a test that failed; nothing to do after the others. */
  @AfterEach
  void destroyWhatIsLeft() throws Exception {
    Path environments = folder.resolve("environments");
    if (Files.isDirectory(environments) && environments.toFile().list().length > 0) {
      try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
        Inside.destroyAll(provider);
      }
    }
  }

  private static Disks disks(LocalProvider provider) {
    return provider.disks().orElseThrow();
  }

  private static void make(LocalProvider provider, String id, long bytes) {
    disks(provider).create(new DiskRequest(id, bytes, Optional.empty()));
  }

  private static InstanceRef attach(LocalProvider provider, int number, String disk) {
    return provider.create(Inside.request(provider, number, List.of()).withHomeDisk(disk));
  }

  private String mounts() throws Exception {
    String mounts = Files.readString(Path.of("/proc/self/mountinfo"));
    StringBuilder all = new StringBuilder(mounts);
    for (Path loop : List.of(Path.of("/sys/block"))) {
      try (var devices = Files.newDirectoryStream(loop, "loop*")) {
        for (Path device : devices) {
          Path file = device.resolve("loop/backing_file");
          all.append(Files.exists(file) ? Files.readString(file) : "");
        }
      }
    }
    return all.toString();
  }

  @Test
  void aFullDiskIsItsOwnersTrouble() {
    // Real bytes up to the limit and no further; the neighbour, and the rest of it, do not notice.
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      make(provider, "small", 64 * MIB);
      make(provider, "other", 64 * MIB);
      InstanceRef full = attach(provider, 1, "small");
      InstanceRef neighbour = attach(provider, 2, "other");

      Said said =
          Inside.run(provider, full, "dd if=/dev/urandom of=/root/big bs=1M count=100; sync");
      assertThat(said.error()).containsAnyOf("Disk quota exceeded", "No space left on device");
      assertThat(disks(provider).content("small")).startsWith("6").contains("M\t/home/dev");
      assertThat(Inside.run(provider, full, "echo well > /tmp/x && cat /tmp/x").output())
          .isEqualTo("well\n");
      assertThat(Inside.run(provider, neighbour, "head -c 30M /dev/urandom > ~/big").exitCode())
          .isZero();
      assertThatThrownBy(() -> disks(provider).resize("small", 32 * MIB))
          .isInstanceOf(Rejected.class);
      assertThatThrownBy(() -> disks(provider).delete("small")).isInstanceOf(Rejected.class);

      disks(provider).resize("small", 128 * MIB);
      assertThat(Inside.run(provider, full, "head -c 30M /dev/urandom > ~/more").exitCode())
          .isZero();
      assertThat(Inside.run(provider, full, "rm ~/big ~/more && echo x > ~/x").exitCode()).isZero();
      Inside.destroyAll(provider);
    }
  }

  @Test
  void whatIsOnDisksIsKnownWithoutReadingThem() {
    // Of those asked for that are there; folders would have to be read, so nothing is said of them.
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      assertThat(disks(provider).usedBytes(Set.of("one"))).isEmpty();
      make(provider, "one", 64 * MIB);
      make(provider, "two", 64 * MIB);
      InstanceRef made = attach(provider, 1, "one");
      int before = disks(provider).room().usedPercent();
      assertThat(Inside.run(provider, made, "fallocate -l 40M ~/big; sync").exitCode()).isZero();
      Map<String, Long> used = disks(provider).usedBytes(Set.of("one", "gone"));
      assertThat(used).containsOnlyKeys("one");
      assertThat(used.get("one")).isBetween(40 * MIB, 42 * MIB);
      assertThat(disks(provider).room().usedPercent()).isBetween(before + 3, before + 6);
      assertThatThrownBy(() -> disks(provider).usedBytes(Set.of("../up")))
          .isInstanceOf(Rejected.class);
      Inside.destroyAll(provider);
    }
    try (LocalProvider provider =
        Inside.open(
            folder.resolve("plain"),
            Map.of("driver", "runc", "disk-store", "folders", "egress", "off"))) {
      make(provider, "one", 64 * MIB);
      assertThat(disks(provider).usedBytes(Set.of("one"))).isEmpty();
    }
  }

  @Test
  void aFullPoolRefusesDisksAndRecovers() {
    // More is promised than there is: writing ends with an error, deleting helps at once.
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      make(provider, "one", 900 * MIB);
      make(provider, "two", 900 * MIB);
      InstanceRef made = attach(provider, 1, "one");
      InstanceRef other = attach(provider, 2, "two");
      assertThat(Inside.run(provider, made, "fallocate -l 700M ~/big").exitCode()).isZero();
      Said said = Inside.run(provider, other, "dd if=/dev/zero of=/root/big bs=1M; sync");
      assertThat(said.error()).contains("No space left on device");

      assertThatThrownBy(() -> make(provider, "three", 64 * MIB)).isInstanceOf(NoCapacity.class);
      assertThatThrownBy(() -> disks(provider).snapshot("one", "kept"))
          .isInstanceOf(NoCapacity.class);
      assertThat(disks(provider).list()).hasSize(2);
      assertThat(Inside.run(provider, made, "ls ~/big && rm ~/big && sync").exitCode()).isZero();
      provider.destroy(other);
      disks(provider).delete("two");
      Inside.eventually("there is room", () -> disks(provider).room().freeBytes() > 500 * MIB);
      make(provider, "three", 64 * MIB);
      Inside.destroyAll(provider);
    }
  }

  @Test
  void nobodyLeavesADisksQuota() {
    // A subvolume would have a quota of its own, that is none; copies by reference are fine.
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      make(provider, "home", 64 * MIB);
      InstanceRef made = attach(provider, 1, "home");
      String create =
          "perl -e 'open(F, \"<\", \"/root\") or die; $b = pack(\"qa4088\", 0, \"escape\");"
              + " print ioctl(F, 0x5000940e, $b) ? \"made\" : \"refused\"'";
      assertThat(Inside.run(provider, made, create)).isEqualTo(new Said(0, "refused", ""));
      assertThat(Inside.run(provider, made, "ls /root").output()).doesNotContain("escape");
      String copy = "cd && head -c 1M /dev/urandom > a && cp --reflink=always a b && cmp a b";
      assertThat(Inside.run(provider, made, copy)).isEqualTo(new Said(0, "", ""));
      assertThat(disks(provider).room().enforced()).isTrue();
      Inside.destroyAll(provider);
    }
  }

  @Test
  void disksGoOnWithoutTheServerAndGrowWithTheSetting() throws Exception {
    // The environment writes on while no server runs; the next one takes the pool up as it is.
    InstanceRef made;
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      make(provider, "home", 64 * MIB);
      made = attach(provider, 1, "home");
      Inside.run(provider, made, "(sleep 0.2; echo on > ~/on) >/dev/null 2>&1 &");
    }
    assertThat(mounts()).contains(folder.toString());
    Map<String, String> larger = Map.of("driver", "runc", "disk-pool-gib", "2", "egress", "off");
    try (LocalProvider provider = Inside.open(folder, larger)) {
      assertThat(disks(provider).room().totalBytes()).isEqualTo(2048 * MIB);
      assertThat(disks(provider).list().getFirst().attachedTo()).contains(made);
      assertThatThrownBy(() -> attach(provider, 2, "home")).isInstanceOf(Rejected.class);
      Inside.eventually(
          "it wrote on", () -> Inside.run(provider, made, "cat ~/on").output().equals("on\n"));
      Inside.destroyAll(provider);
      assertThat(disks(provider).list().getFirst().attachedTo()).isEmpty();
    }
    assertThat(mounts()).doesNotContain(folder.toString());
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      // A smaller setting takes nothing away.
      assertThat(disks(provider).room().totalBytes()).isEqualTo(2048 * MIB);
      assertThat(disks(provider).content("home")).contains("── on");
    }
    assertThat(mounts()).doesNotContain(folder.toString());
  }

  @Test
  void aDeadEnvironmentHoldsItsDiskUntilItIsDestroyed() {
    // It is in use as long as a folder names it, and not a moment longer.
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      make(provider, "home", 64 * MIB);
      InstanceRef made = attach(provider, 1, "home");
      Inside.run(provider, made, "echo kept > ~/file; sync");
      Inside.run(provider, made, "kill -9 -1");
      ProcessHandle.allProcesses()
          .filter(process -> gpuaas.local.linux.Processes.isInCgroup(process.pid(), made.id()))
          .forEach(ProcessHandle::destroyForcibly);
      provider.destroy(made);
      InstanceRef next = attach(provider, 2, "home");
      assertThat(Inside.run(provider, next, "cat ~/file").output()).isEqualTo("kept\n");
      Inside.destroyAll(provider);
    }
  }

  @ParameterizedTest
  @EnumSource(Step.class)
  void aCrashWhileItIsAttachedLeavesTheDataAndTheDiskFree(Step last) {
    // Wherever making an environment ended: once that is destroyed, the next one has the disk.
    StepHook hook =
        step -> {
          if (step == last) {
            throw new Crash();
          }
        };
    try (LocalProvider provider = Inside.open(folder, SETTINGS)) {
      make(provider, "home", 64 * MIB);
      InstanceRef made = attach(provider, 1, "home");
      Inside.run(provider, made, "echo kept > ~/file");
      Inside.destroyAll(provider);
    }
    try (LocalProvider doomed = Inside.open(folder, SETTINGS, hook)) {
      assertThatThrownBy(() -> attach(doomed, 2, "home")).isInstanceOf(Crash.class);
    }
    try (LocalProvider next = Inside.open(folder, SETTINGS)) {
      Inside.destroyAll(next);
      InstanceRef made = attach(next, 3, "home");
      assertThat(Inside.run(next, made, "cat ~/file").output()).isEqualTo("kept\n");
      Inside.destroyAll(next);
      disks(next).delete("home");
      assertThat(disks(next).list()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"HOME_COPIED", "HOME_NOTED"})
  void aHomeIsPutOnAFreshDiskAndOnNoOther(DiskStep last) throws Exception {
    // Also when that was cut short; what the user changed or removed afterwards stays so.
    Map<String, String> settings = imageWithHome();
    StepHook hook =
        new StepHook() {
          @Override
          public void after(Step step) {}

          @Override
          public void afterDisk(DiskStep step) {
            if (step == last) {
              throw new Crash();
            }
          }
        };
    try (LocalProvider doomed = Inside.open(folder, settings, hook)) {
      make(doomed, "home", 64 * MIB);
      assertThatThrownBy(() -> withImage(doomed, 1)).isInstanceOf(Crash.class);
    }
    try (LocalProvider provider = Inside.open(folder, settings)) {
      Inside.destroyAll(provider);
      InstanceRef first = withImage(provider, 2);
      assertThat(inHome(provider, first)).isEqualTo("from the image\n0:0:700\n");
      Inside.run(provider, first, "cd; echo mine > .word; rm .other");
      Inside.destroyAll(provider);
      InstanceRef second = withImage(provider, 3);
      assertThat(inHome(provider, second)).isEqualTo("mine\n0:0:700\n");
      assertThat(Inside.run(provider, second, "cat ~/.other").exitCode()).isNotZero();
      Inside.destroyAll(provider);
    }
  }

  private static String inHome(LocalProvider provider, InstanceRef instance) {
    return Inside.run(provider, instance, "cat /root/.word; stat -c %u:%g:%a /root").output();
  }

  private static InstanceRef withImage(LocalProvider provider, int number) {
    var host = Inside.request(provider, number, List.of()).withHomeDisk("home");
    return provider.create(
        new gpuaas.spi.InstanceRequest(
            host.tag(),
            host.offer(),
            "",
            List.of(),
            "homely",
            List.of(),
            Map.of(),
            host.hostName(),
            host.launch(),
            host.homeDisk()));
  }

  /** The host's skeleton, as an image with two files in its home. */
  private Map<String, String> imageWithHome() throws Exception {
    Path image = Files.createDirectories(folder.resolve("images/homely"));
    for (String sub : List.of("root", "proc", "dev", "sys", "usr", "etc", "tmp")) {
      Files.createDirectories(image.resolve(sub));
    }
    for (String program : List.of("sh", "cat", "stat", "sleep", "rm")) {
      LocalImageTest.copyProgram(program, image);
    }
    for (String link : List.of("bin", "lib", "lib64")) {
      Files.createSymbolicLink(image.resolve(link), Path.of("usr", link));
    }
    Files.writeString(image.resolve("root/.word"), "from the image\n");
    Files.writeString(image.resolve("root/.other"), "too\n");
    Files.setPosixFilePermissions(
        image.resolve("root"), PosixFilePermissions.fromString("rwx------"));
    IdRange.SHIFTED.shift(image);
    return Map.of(
        "driver", "runc",
        "disk-pool-gib", "1",
        "egress", "off",
        "image-folder", folder.resolve("images").toString());
  }

  @Test
  void withoutAPoolThereAreNoDisks() {
    // Switched off, it says so instead of giving an environment without its disk.
    Map<String, String> off = Map.of("driver", "runc", "disk-pool-gib", "0");
    try (LocalProvider provider = Inside.open(folder, off)) {
      assertThat(provider.disks()).isEmpty();
      assertThatThrownBy(() -> attach(provider, 1, "home"))
          .isInstanceOf(Rejected.class)
          .hasMessageContaining("disk-pool-gib");
      assertThat(provider.list(Inside.DEPLOYMENT)).isEmpty();
    }
  }
}
