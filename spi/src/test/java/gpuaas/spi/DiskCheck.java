package gpuaas.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.spi.ProviderException.NoCapacity;
import gpuaas.spi.ProviderException.Rejected;
import gpuaas.spi.disk.DiskRequest;
import gpuaas.spi.disk.Disks;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Checks what a provider with disks promises, from the first disk to the last one's end. */
final class DiskCheck {

  private static final long MIB = 1L << 20;
  private static final UUID LEASE = new UUID(0x33L, 1);

  private final ProviderContract contract;
  private final Disks disks;

  DiskCheck(ProviderContract contract, Disks disks) {
    this.contract = contract;
    this.disks = disks;
  }

  void check() throws Exception {
    making();
    attaching();
    copying();
    ending();
  }

  private void making() {
    assertThat(disks.list()).isEmpty();
    Disks.Room room = disks.room();
    assertThat(room.totalBytes()).isPositive();
    assertThat(room.freeBytes()).isBetween(1L, room.totalBytes());

    disks.create(request("one", 64 * MIB, Optional.empty()));
    disks.create(request("one", 64 * MIB, Optional.empty()));
    disks.resize("one", 96 * MIB);
    disks.create(request("one", 64 * MIB, Optional.empty()));
    assertThat(disks.list())
        .singleElement()
        .satisfies(disk -> {
          assertThat(disk.id()).isEqualTo("one");
          assertThat(disk.sizeBytes()).isEqualTo(96 * MIB);
          assertThat(disk.usedBytes()).isLessThan(MIB);
          assertThat(disk.attachedTo()).isEmpty();
        });
    assertThat(disks.room().promisedBytes()).isEqualTo(96 * MIB);

    rejected(() -> disks.create(request("one", 65 * MIB, Optional.empty())));
    rejected(() -> disks.create(request("two", 64 * MIB, Optional.of("no-such-snapshot"))));
    rejected(() -> disks.resize("none", 64 * MIB));
    rejected(() -> disks.snapshot("none", "first"));
    rejected(() -> disks.content("none"));
    rejected(() -> disks.snapshotContent("none"));
    for (String bad : List.of("", "-x", "a/b", "..", "UP", "a b", "a\n", "x".repeat(65))) {
      rejected(() -> request(bad, 64 * MIB, Optional.empty()));
      rejected(() -> disks.delete(bad));
      rejected(() -> disks.snapshot("one", bad));
      rejected(() -> disks.content(bad));
    }
    assertThatThrownBy(() -> disks.create(request("huge", 1L << 60, Optional.empty())))
        .isInstanceOf(NoCapacity.class);
    assertThat(disks.list()).hasSize(1);
  }

  private void attaching() throws Exception {
    InstanceRef first = up(1);
    assertThat(disks.list().getFirst().attachedTo()).contains(first);
    rejected(() -> contract.provider().create(wanted(2)));
    rejected(() -> disks.delete("one"));
    assertThat(inside(first, "cd && echo kept > file && mkdir -p a/b/c/d && pwd")).isNotBlank();
    disks.snapshot("one", "first");
    assertThat(inside(first, "cd && echo later > file")).isEmpty();
    disks.snapshot("one", "first");

    contract.provider().destroy(first);
    contract.eventuallyGone(first);
    assertThat(disks.list().getFirst().attachedTo()).isEmpty();
    InstanceRef second = up(2);
    assertThat(inside(second, "cd && cat file")).isEqualTo("later\n");
    contract.provider().destroy(second);
    contract.eventuallyGone(second);
  }

  private void copying() {
    assertThat(disks.snapshots())
        .singleElement()
        .satisfies(snapshot -> {
          assertThat(snapshot.id()).isEqualTo("first");
          assertThat(snapshot.disk()).isEqualTo("one");
          assertThat(snapshot.sizeBytes()).isEqualTo(96 * MIB);
        });
    disks.create(request("two", 64 * MIB, Optional.of("first")));
    disks.create(request("two", 64 * MIB, Optional.of("first")));
    rejected(() -> disks.create(request("two", 64 * MIB, Optional.empty())));
    rejected(() -> disks.snapshot("two", "first"));
    List<String> lines = disks.content("two").lines().toList();
    assertThat(lines.getFirst()).endsWith("\t/home/dev");
    assertThat(lines.get(1)).isEqualTo("---");
    assertThat(lines).anyMatch(line -> line.contains("file"));
    assertThat(lines).anyMatch(line -> line.endsWith(" c/"));
    assertThat(lines).as("depth three").noneMatch(line -> line.endsWith(" d/"));
  }

  private void ending() {
    disks.delete("one");
    disks.delete("one");
    assertThat(disks.snapshotContent("first")).isEqualTo(disks.content("two"));
    disks.deleteSnapshot("first");
    disks.deleteSnapshot("first");
    assertThat(disks.content("two")).contains("file");
    disks.delete("two");
    assertThat(disks.list()).isEmpty();
    assertThat(disks.snapshots()).isEmpty();
  }

  private static DiskRequest request(String id, long bytes, Optional<String> snapshot) {
    return new DiskRequest(id, bytes, snapshot);
  }

  private InstanceRequest wanted(int attempt) {
    return contract.request(LEASE, attempt).withHomeDisk("one");
  }

  private InstanceRef up(int attempt) {
    InstanceRef instance = contract.provider().create(wanted(attempt));
    contract.eventuallyUp(instance);
    return instance;
  }

  private String inside(InstanceRef instance, String script) throws Exception {
    ExecRequest request = new ExecRequest(List.of("sh", "-c", script), Optional.empty(), Map.of());
    try (ExecChannel channel = ((HasExec) contract.provider()).exec(instance, request)) {
      channel.input().close();
      String said = new String(channel.output().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(channel.waitFor()).as(script).isZero();
      return said;
    }
  }

  private static void rejected(Runnable call) {
    assertThatThrownBy(call::run).isInstanceOf(Rejected.class).hasMessageContaining(" ");
  }
}
