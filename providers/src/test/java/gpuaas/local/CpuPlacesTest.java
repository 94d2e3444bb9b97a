package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.spi.Gpu;
import gpuaas.spi.HasNodes.NodeGpu;
import gpuaas.spi.HasNodes.NodeStatus;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.Money;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.ProviderException.NoCapacity;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Places without GPUs on this machine: counted like GPUs, behind them, and of a part of their own.
 */
class CpuPlacesTest {

  private static final Map<String, String> PLAIN =
      Map.of("egress", "off", "disk-pool-gib", "0", "gpus", "4xH200", "gpu-discovery", "off");

  @TempDir private Path folder;

  @AfterEach
  void clean() {
    try (LocalProvider provider = Inside.open(folder, PLAIN)) {
      Inside.destroyAll(provider);
    }
  }

  private LocalProvider open(String... more) {
    Map<String, String> settings = new HashMap<>(PLAIN);
    for (int i = 0; i < more.length; i += 2) {
      settings.put(more[i], more[i + 1]);
    }
    return Inside.open(folder, settings);
  }

  private static Offer offer(LocalProvider provider) {
    return provider.offers(OfferQuery.all()).getLast();
  }

  static InstanceRequest request(LocalProvider provider, int number) {
    return new InstanceRequest(
        new OwnerTag(Inside.DEPLOYMENT, new UUID(7, number), 1),
        offer(provider),
        "",
        List.of(),
        "",
        List.of(),
        Map.of(),
        "env-" + number);
  }

  private static List<String> places(NodeStatus node) {
    return node.gpus().stream()
        .filter(gpu -> Gpu.isCpuPlace(gpu.gpu().model()))
        .map(NodeGpu::id)
        .toList();
  }

  @Test
  void itsNameFollowsFromTheMachine() {
    // A machine of a kind that has no name offers none.
    assertThat(CpuPlaces.kind("amd64")).contains(Gpu.cpuPlace("X86"));
    assertThat(CpuPlaces.kind("aarch64")).contains(Gpu.cpuPlace("ARM"));
    assertThat(CpuPlaces.kind("riscv64")).isEmpty();
    assertThat(Gpu.isCpuPlace(Gpu.cpuPlace("ARM").model())).isTrue();
    assertThat(Gpu.isCpuPlace(Gpu.called("cpu_x86", 0).model())).isFalse();
  }

  @Test
  void aTenthOfTheMachineIsTheirs() {
    // Unless the settings say otherwise; a GPU gets what is left, so nobody is promised anything
    // twice.
    Host large = new Host("h", "k", "b", 192, 1_000_000, true);
    CpuPlaces three = new CpuPlaces(3, Optional.empty(), Optional.empty(), Money.usd("0"));
    assertThat(three.each(large).milliCpus()).isEqualTo(6_400);
    assertThat(three.each(large).memoryMib()).isEqualTo(33_333);
    assertThat(three.percentForGpus()).isEqualTo(90);
    CpuPlaces set = new CpuPlaces(3, Optional.of(500), Optional.of(512), Money.usd("0"));
    assertThat(set.each(large).milliCpus()).isEqualTo(500);
    assertThat(set.each(large).memoryMib()).isEqualTo(512);
    CpuPlaces none = new CpuPlaces(0, Optional.empty(), Optional.empty(), Money.usd("0"));
    assertThat(none.percentForGpus()).isEqualTo(100);
    assertThat(none.devices(2, 8)).isEmpty();
  }

  @Test
  void eachNodeHasItsOwnBehindItsGpus() {
    // With ids and numbers that no GPU has, the same after every start.
    try (LocalProvider provider = open("nodes", "2", "cpu-places", "2")) {
      assertThat(provider.nodes()).allMatch(node -> node.gpus().size() == 4);
      assertThat(places(provider.nodes().get(0))).containsExactly("CPU-PLACE-0", "CPU-PLACE-1");
      assertThat(places(provider.nodes().get(1))).containsExactly("CPU-PLACE-2", "CPU-PLACE-3");
      assertThat(provider.nodes().stream().flatMap(node -> node.gpus().stream()))
          .extracting(NodeGpu::index)
          .doesNotHaveDuplicates();
      assertThat(offer(provider).gpuCountMost()).isEqualTo(2);
    }
    try (LocalProvider provider = open("cpu-places", "0")) {
      assertThat(provider.offers(OfferQuery.all())).hasSize(1);
      assertThat(places(provider.nodes().getFirst())).isEmpty();
    }
  }

  @Test
  void aPlaceHasOneHolderAndItsOwnSize() {
    // Also after a restart; GPUs stay free, and none is said to be there.
    List<String> own =
        List.of("cpu-places", "1", "memory-per-cpu-place-mib", "96", "cpus-per-cpu-place", "0.5");
    String[] settings = own.toArray(String[]::new);
    InstanceRef made;
    try (LocalProvider provider = open(settings)) {
      assertThat(offer(provider).perGpu().memoryMib()).isEqualTo(96);
      made = provider.create(request(provider, 1));
      assertThat(Inside.run(provider, made, "cat /etc/motd").output())
          .contains("no GPU, 0.5 processors, 96 MiB");
      assertThat(Inside.run(provider, made, "echo $NVIDIA_VISIBLE_DEVICES").output())
          .isEqualTo("void\n");
    }
    try (LocalProvider provider = open(settings)) {
      assertThatThrownBy(() -> provider.create(request(provider, 2)))
          .isInstanceOf(NoCapacity.class);
      provider.destroy(Inside.create(provider, 3));
      provider.destroy(made);
      provider.destroy(provider.create(request(provider, 4)));
    }
  }
}
