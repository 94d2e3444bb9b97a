package gpuaas.sim;

import gpuaas.spi.Assurance;
import gpuaas.spi.Endpoint;
import gpuaas.spi.Gpu;
import gpuaas.spi.HasNodes;
import gpuaas.spi.HasUtilization;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Money;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import gpuaas.spi.Region;
import gpuaas.spi.Resources;
import gpuaas.spi.Tier;
import gpuaas.spi.gang.HasGangs;
import gpuaas.spi.restart.HasRestart;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * Nodes with GPUs, in memory. Each instance follows a {@link SimScript} of its own. Does not guard
 * its GPUs against a second holder: that is the core's promise, and this shows whether it keeps it.
 */
public final class SimProvider implements Provider, HasNodes, HasUtilization, HasGangs, HasRestart {

  /** The kind of GPU it has. */
  public static final Gpu GPU = new Gpu("NVIDIA", "H200", 141 * 1024);

  private static final Region REGION = new Region("us-buffalo-1");
  private static final Resources PER_GPU = new Resources(24_000, 64 * 1024, 0);
  private static final Assurance ASSURANCE =
      new Assurance(Assurance.Isolation.MACHINE, Set.of(), Assurance.GpuMode.SIMULATED);

  private static final Utilization IDLE =
      new Utilization(Optional.of(Duration.ZERO), PER_GPU.milliCpus(), Optional.of(0));

  private final String name;
  private final InstantSource clock;
  private final Supplier<SimScript> scripts;
  private final int nodeCount;
  private final int gpusPerNode;
  private final Map<String, SimInstance> instances = new LinkedHashMap<>();
  private int made;

  /** One instance and its fate. */
  private static final class SimInstance {
    final OwnerTag tag;
    final InstanceRequest request;
    final SimScript script;
    final Instant madeAt;
    Optional<Instant> destroyedAt = Optional.empty();
    Utilization utilization = IDLE;
    Instant startedAt;
    int restarts;

    SimInstance(InstanceRequest request, SimScript script, Instant madeAt) {
      this.tag = request.tag();
      this.request = request;
      this.script = script;
      this.madeAt = madeAt;
      this.startedAt = madeAt;
    }

    boolean isLost(Instant now) {
      return !script.lostAfter().isZero() && !now.isBefore(madeAt.plus(script.lostAfter()));
    }

    boolean isGone(Instant now) {
      return isLost(now)
          || destroyedAt.map(at -> !now.isBefore(at.plus(script.goneAfter()))).orElse(false);
    }
  }

  public SimProvider(
      String name,
      InstantSource clock,
      Supplier<SimScript> scripts,
      int nodeCount,
      int gpusPerNode) {
    this.name = name;
    this.clock = clock;
    this.scripts = scripts;
    this.nodeCount = nodeCount;
    this.gpusPerNode = gpusPerNode;
  }

  @Override
  public synchronized List<Offer> offers(OfferQuery query) {
    return List.of(
        new Offer(
            GPU.model(),
            name,
            REGION,
            GPU,
            1,
            gpusPerNode,
            Tier.ON_DEMAND,
            Money.usd("2.00"),
            PER_GPU,
            ASSURANCE,
            clock.instant()));
  }

  @Override
  public synchronized InstanceRef create(InstanceRequest request) {
    request
        .launch()
        .beyondDisk()
        .ifPresent(what -> {
          throw new ProviderException.Rejected("nothing here can begin with " + what);
        });
    InstanceRef ref = new InstanceRef(name, "sim-" + made++);
    instances.put(ref.id(), new SimInstance(request, scripts.get(), clock.instant()));
    return ref;
  }

  @Override
  public synchronized Optional<InstanceStatus> inspect(InstanceRef ref) {
    Instant now = clock.instant();
    SimInstance instance = instances.get(ref.id());
    if (instance == null || instance.isGone(now)) {
      return Optional.empty();
    }
    Duration age = Duration.between(instance.startedAt, now);
    if (instance.destroyedAt.isPresent()) {
      return Optional.of(new InstanceStatus.Failed("being destroyed"));
    }
    return Optional.of(
        age.compareTo(instance.script.startsAfter()) < 0
            ? new InstanceStatus.Starting(Duration.ofSeconds(1))
            : new InstanceStatus.Up(Optional.of(new Endpoint("127.0.0.1", 22, ref.id()))));
  }

  @Override
  public boolean canRestart() {
    return true;
  }

  @Override
  public synchronized void restart(InstanceRef ref, int number) {
    SimInstance instance = instances.get(ref.id());
    if (instance != null && instance.restarts < number) {
      instance.restarts = number;
      instance.startedAt = clock.instant();
    }
  }

  @Override
  public synchronized void destroy(InstanceRef ref) {
    SimInstance instance = instances.get(ref.id());
    if (instance != null && instance.destroyedAt.isEmpty()) {
      instance.destroyedAt = Optional.of(clock.instant());
    }
  }

  @Override
  public synchronized List<Owned> list(String deployment) {
    Instant now = clock.instant();
    return instances.entrySet().stream()
        .filter(entry -> entry.getValue().tag.deployment().equals(deployment))
        .filter(entry -> !entry.getValue().isGone(now))
        .filter(entry ->
            !now.isBefore(entry.getValue().madeAt.plus(entry.getValue().script.listedAfter())))
        .map(entry ->
            new Owned(
                new InstanceRef(name, entry.getKey()),
                entry.getValue().tag,
                entry.getValue().madeAt))
        .toList();
  }

  /**
   * Every instance that costs money now, listed or not: the truth that a simulation checks against.
   */
  public synchronized List<Owned> living() {
    Instant now = clock.instant();
    return instances.entrySet().stream()
        .filter(entry -> entry.getValue().destroyedAt.isEmpty() && !entry.getValue().isLost(now))
        .map(entry ->
            new Owned(
                new InstanceRef(name, entry.getKey()),
                entry.getValue().tag,
                entry.getValue().madeAt))
        .toList();
  }

  /** What was asked for, for each instance that was ever made. */
  public synchronized List<InstanceRequest> requests() {
    return instances.values().stream().map(instance -> instance.request).toList();
  }

  /** What an instance says that it uses, from now on; nothing until somebody says so. */
  public synchronized void use(InstanceRef ref, Utilization utilization) {
    Optional.ofNullable(instances.get(ref.id()))
        .ifPresent(instance -> instance.utilization = utilization);
  }

  @Override
  public synchronized Utilization utilization(InstanceRef ref) {
    SimInstance instance = instances.get(ref.id());
    if (instance == null || instance.isGone(clock.instant())) {
      throw new ProviderException.Unavailable(ref.id() + " is not there", null);
    }
    return instance.utilization;
  }

  @Override
  public List<NodeStatus> nodes() {
    return IntStream.range(0, nodeCount)
        .mapToObj(node ->
            new NodeStatus(
                "node-" + node,
                REGION,
                IntStream.range(0, gpusPerNode)
                    .mapToObj(gpu -> new NodeGpu("node-" + node + "-gpu-" + gpu, gpu, GPU, true))
                    .toList(),
                PER_GPU.times(gpusPerNode),
                ASSURANCE,
                true,
                ""))
        .toList();
  }

  @Override
  public void close() {}
}
