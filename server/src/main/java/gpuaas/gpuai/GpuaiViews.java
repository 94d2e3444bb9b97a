package gpuaas.gpuai;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.catalog.GpuType;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Phase;
import gpuaas.lease.LeaseState.Running;
import gpuaas.operation.Operation;
import gpuaas.spi.Endpoint;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/**
 * Instances and operations as the wire has them. Members that may be null are there as null; others
 * are left out when they have no value.
 */
final class GpuaiViews {

  private final Profile profile;

  GpuaiViews(Profile profile) {
    this.profile = profile;
  }

  record Instance(
      UUID id,
      String status,
      String gpuType,
      int gpuCount,
      String region,
      String tier,
      BigDecimal pricePerHour,
      Instant createdAt,
      Optional<String> name,
      Optional<Connection> connection,
      Optional<Instant> readyAt,
      Optional<Instant> terminatedAt,
      @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<String> statusReason) {}

  record Connection(String hostname, int port, String sshCommand) {}

  record OperationView(
      UUID operationId,
      String kind,
      String state,
      Instant createdAt,
      Instant updatedAt,
      Optional<Instant> completedAt,
      Optional<String> resourceId,
      Optional<Failure> error) {}

  record Failure(String code, String detail) {}

  Instance instance(Lease lease, GpuType type) {
    Phase phase = lease.phase();
    return new Instance(
        lease.id(),
        profile.status(phase),
        type.name(),
        lease.spec().want().gpus(),
        region(lease),
        tier(lease.spec().want().tier()),
        dollars(lease.pricePerHourMicros()),
        lease.createdAt(),
        lease.name(),
        lease.state() instanceof Running running
            ? Optional.of(connection(running.ssh()))
            : Optional.empty(),
        lease.history().readyAt(),
        terminatedAt(lease, phase),
        phase == Phase.FAILED ? reason(lease) : Optional.empty());
  }

  /** Where it is, was, or is being tried, or was asked for; before all that, nowhere yet. */
  private static String region(Lease lease) {
    return lease
        .history()
        .region()
        .or(() -> lease.spec().want().region())
        .map(Region::code)
        .orElse("any");
  }

  private static Optional<Instant> terminatedAt(Lease lease, Phase phase) {
    if (phase != Phase.GONE || !(lease.state() instanceof Ended ended)) {
      return Optional.empty();
    }
    return Optional.of(
        lease
            .history()
            .dismissedAt()
            .filter(dismissed -> dismissed.isAfter(ended.at()))
            .orElse(ended.at()));
  }

  private static Optional<String> reason(Lease lease) {
    return switch (lease.state()) {
      case Ended e -> Optional.of(Reasons.sentence(e.why().text()));
      case gpuaas.lease.LeaseState.Stopping s -> Optional.of(Reasons.sentence(s.why().text()));
      default -> Optional.empty();
    };
  }

  private static Connection connection(Endpoint ssh) {
    return new Connection(
        ssh.host(), ssh.port(), "ssh -p " + ssh.port() + " " + ssh.user() + "@" + ssh.host());
  }

  OperationView operation(Operation operation) {
    return new OperationView(
        operation.id(),
        switch (operation.kind()) {
          case CREATE -> "instance.create";
          case DELETE -> "instance.delete";
        },
        operation.state().name().toLowerCase(Locale.ROOT),
        operation.createdAt(),
        operation.updatedAt(),
        operation.completedAt(),
        Optional.of(operation.lease().toString()),
        operation.reason().map(why -> new Failure("operation_failed", Reasons.sentence(why))));
  }

  static String tier(Tier tier) {
    return switch (tier) {
      case SPOT -> "spot";
      case ON_DEMAND -> "on_demand";
    };
  }

  static Optional<Tier> tier(String word) {
    return switch (word) {
      case "spot" -> Optional.of(Tier.SPOT);
      case "on_demand" -> Optional.of(Tier.ON_DEMAND);
      default -> Optional.empty();
    };
  }

  /** Millionths as a JSON number, with all the digits that matter. */
  static BigDecimal dollars(long micros) {
    BigDecimal exact = BigDecimal.valueOf(micros, 6).stripTrailingZeros();
    return exact.scale() < 2 ? exact.setScale(2) : exact;
  }
}
