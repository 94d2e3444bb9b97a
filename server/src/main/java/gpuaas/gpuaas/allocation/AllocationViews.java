package gpuaas.gpuaas.allocation;

import gpuaas.access.SshKey;
import gpuaas.capacity.Delay;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Place;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.spi.Assurance;
import gpuaas.spi.Endpoint;
import gpuaas.spi.Gpu;
import gpuaas.spi.Resources;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Leases in this dialect's words. */
public final class AllocationViews {

  private static final long MICROS_PER_MINOR = 10_000;

  private final SshKey hostKey;

  /**
   * @param hostKey of the SSH gateway
   */
  public AllocationViews(SshKey hostKey) {
    this.hostKey = hostKey;
  }

  /** An allocation. What is not known in its state is null. */
  record Allocation(
      UUID id,
      String status,
      String sku,
      int gpusTotal,
      Optional<String> regionCode,
      List<UUID> sshKeyIds,
      UUID orgId,
      UUID projectId,
      UUID requestedByUserId,
      long gpuHourlyPriceMinor,
      String currency,
      Instant createdAt,
      Optional<Instant> provisioningStartedAt,
      Optional<Instant> activeAt,
      Optional<Instant> releasedAt,
      Optional<Instant> endsAt,
      Optional<Long> idleStopMinutes,
      Optional<Connection> connection,
      Optional<WaitingView> waiting,
      Optional<String> failureReason,
      Optional<String> releaseFailedReason,
      Optional<String> groupId,
      Optional<PlacementView> placement,
      String correlationId) {}

  /** How to get in. */
  record Connection(
      String host,
      String hostname,
      int port,
      String username,
      String sshCommand,
      String sshHostKeyFingerprint,
      String sshHostKey) {}

  /** Why it waits, its place in the queue, and when it may start; null when that is not known. */
  record WaitingView(int position, String reason, Optional<Instant> estimatedStartAt) {}

  /** Where it is and what that promises. */
  record PlacementView(
      String provider,
      String node,
      List<String> gpuIds,
      String gpuModel,
      boolean simulated,
      AssuranceView assurance,
      ResourcesView resources) {}

  /** The truth about isolation and limits. */
  public record AssuranceView(
      String isolation, Map<String, Boolean> limitsEnforced, String gpuMode) {
    public static AssuranceView of(Assurance assurance) {
      Map<String, Boolean> limits = new java.util.TreeMap<>();
      for (Assurance.Limit limit : Assurance.Limit.values()) {
        limits.put(lower(limit), assurance.limitsEnforced().contains(limit));
      }
      return new AssuranceView(lower(assurance.isolation()), limits, lower(assurance.gpuMode()));
    }
  }

  /** What comes with it. */
  record ResourcesView(int milliCpus, int memoryMib) {}

  Allocation allocation(Lease lease, Optional<Delay> delay) {
    return new Allocation(
        lease.id(),
        status(lease),
        lease.spec().want().sku(),
        lease.spec().want().gpus(),
        lease.spec().want().region().map(region -> region.code()),
        lease.spec().sshKeys(),
        lease.tenant(),
        lease.project(),
        lease.requestedBy(),
        lease.pricePerGpuHourMicros() / MICROS_PER_MINOR,
        "USD",
        lease.createdAt(),
        provisioningSince(lease),
        lease.state() instanceof Running r ? Optional.of(r.since()) : Optional.empty(),
        lease.state() instanceof Ended e && !e.why().isFailure()
            ? Optional.of(e.at())
            : Optional.empty(),
        lease.expires(),
        lease.spec().guards().idle().map(idle -> idle.after().toMinutes()),
        lease.state() instanceof Running r ? Optional.of(connection(r.ssh())) : Optional.empty(),
        delay.map(d -> new WaitingView(d.position(), d.reason(), d.estimatedStart())),
        failure(lease),
        lease.state() instanceof Stopping
            ? Optional.of(lease.history().trouble().stuck()).filter(why -> !why.isEmpty())
            : Optional.empty(),
        Optional.ofNullable(lease.spec().notes().get(LeaseSpec.GROUP)),
        place(lease).map(AllocationViews::placement),
        lease.correlationId());
  }

  /** The word for a state; complete, so that a new state cannot be forgotten. */
  static String status(Lease lease) {
    return switch (lease.state()) {
      case Waiting _ -> "requested";
      case Provisioning _, Booting _ -> "provisioning";
      case Running _ -> "active";
      case Stopping _ -> lease.history().trouble().takesTooLong() ? "release_failed" : "releasing";
      case Ended e -> e.why().isFailure() ? "failed" : "released";
    };
  }

  /** What a word stands for. */
  record Meaning(Set<String> states, Optional<Boolean> failed, Optional<Boolean> stuck) {}

  /** What a word stands for; empty for an unknown word. */
  static Optional<Meaning> meaning(String status) {
    Optional<Boolean> any = Optional.empty();
    return switch (status) {
      case "requested" -> Optional.of(new Meaning(Set.of("waiting"), any, any));
      case "provisioning" -> Optional.of(new Meaning(Set.of("provisioning", "booting"), any, any));
      case "active" -> Optional.of(new Meaning(Set.of("running"), any, any));
      case "releasing" -> Optional.of(new Meaning(Set.of("stopping"), any, Optional.of(false)));
      case "release_failed" -> Optional.of(new Meaning(Set.of("stopping"), any, Optional.of(true)));
      case "released" -> Optional.of(new Meaning(Set.of("ended"), Optional.of(false), any));
      case "failed" -> Optional.of(new Meaning(Set.of("ended"), Optional.of(true), any));
      default -> Optional.empty();
    };
  }

  private static Optional<Instant> provisioningSince(Lease lease) {
    return switch (lease.state()) {
      case Provisioning p -> Optional.of(p.since());
      case Booting b -> Optional.of(b.since());
      case Running r -> Optional.of(r.since());
      case Waiting _, Stopping _, Ended _ -> Optional.empty();
    };
  }

  private static Optional<Place> place(Lease lease) {
    return switch (lease.state()) {
      case Provisioning p -> Optional.of(p.place());
      case Booting b -> Optional.of(b.place());
      case Running r -> Optional.of(r.place());
      case Waiting _, Stopping _, Ended _ -> Optional.empty();
    };
  }

  private static Optional<String> failure(Lease lease) {
    return lease.state() instanceof Ended e && e.why().isFailure()
        ? Optional.of(e.why().text())
        : Optional.empty();
  }

  private Connection connection(Endpoint ssh) {
    String command = "ssh -p " + ssh.port() + " " + ssh.user() + "@" + ssh.host();
    return new Connection(
        ssh.host(),
        ssh.host(),
        ssh.port(),
        ssh.user(),
        command,
        hostKey.fingerprint(),
        hostKey.type() + " " + hostKey.blob());
  }

  private static PlacementView placement(Place place) {
    Resources resources = place.offer().perGpu().times(place.offer().gpuCount());
    Assurance assurance = place.offer().assurance();
    boolean cpu = Gpu.isCpuPlace(place.offer().gpu().model());
    return new PlacementView(
        place.offer().provider(),
        place.node(),
        cpu ? List.of() : place.gpuIds(),
        place.offer().gpu().model(),
        !cpu && assurance.gpuMode() == Assurance.GpuMode.SIMULATED,
        AssuranceView.of(assurance),
        new ResourcesView(resources.milliCpus(), resources.memoryMib()));
  }

  /** A price in hundredths of a dollar. */
  public static long priceMinor(long micros) {
    return micros / MICROS_PER_MINOR;
  }

  private static String lower(Enum<?> word) {
    return word.name().toLowerCase(Locale.ROOT);
  }
}
