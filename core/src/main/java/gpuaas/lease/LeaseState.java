package gpuaas.lease;

import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.Offer;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Where a lease is in its life. Each state carries exactly what is known in it, and nothing else.
 */
public sealed interface LeaseState {

  /** Accepted. No instance exists; none was asked for since the last no. */
  record Waiting(int tries) implements LeaseState {}

  /** The provider is being asked, or was asked and we have not heard. An instance may exist. */
  record Provisioning(Place place, int attempt, Instant since) implements LeaseState {}

  /** The provider has named an instance. It does not answer on SSH yet. */
  record Booting(Place place, int attempt, InstanceRef instance, Instant since)
      implements LeaseState {}

  /**
   * It answers. Usage counts from {@code since}; up to {@code meteredTo} it is written down, and
   * was seen to be usable then.
   */
  record Running(
      Place place,
      int attempt,
      InstanceRef instance,
      Endpoint ssh,
      Instant since,
      Instant meteredTo)
      implements LeaseState {}

  /**
   * Nobody may use it. Something may still exist at the provider, at least until {@code quietFrom}.
   *
   * @param attempt the last try, which may have made an instance that we have not heard of
   */
  record Stopping(
      Optional<InstanceRef> instance, int attempt, EndReason why, Instant since, Instant quietFrom)
      implements LeaseState {}

  /** Nothing is left. Final. */
  record Ended(EndReason why, Instant at) implements LeaseState {}

  /** True when nobody may use it any more, so that nothing more can be charged. */
  default boolean isOver() {
    return switch (this) {
      case Stopping _, Ended _ -> true;
      case Waiting _, Provisioning _, Booting _, Running _ -> false;
    };
  }

  /** Why it is over; empty when it is not. */
  default Optional<EndReason> end() {
    return switch (this) {
      case Stopping s -> Optional.of(s.why());
      case Ended e -> Optional.of(e.why());
      case Waiting _, Provisioning _, Booting _, Running _ -> Optional.empty();
    };
  }

  /** True when it has an instance, or never will. */
  default boolean isPlacedOrOver() {
    return switch (this) {
      case Waiting _, Provisioning _ -> false;
      case Booting _, Running _, Stopping _, Ended _ -> true;
    };
  }

  /** The machine that the provider has named, while it may be there. */
  default Optional<InstanceRef> named() {
    return switch (this) {
      case Waiting _, Provisioning _, Ended _ -> Optional.empty();
      case Booting b -> Optional.of(b.instance());
      case Running r -> Optional.of(r.instance());
      case Stopping s -> s.instance();
    };
  }

  /** The name in the database and in lists. */
  default String text() {
    return switch (this) {
      case Waiting _ -> "waiting";
      case Provisioning _ -> "provisioning";
      case Booting _ -> "booting";
      case Running _ -> "running";
      case Stopping _ -> "stopping";
      case Ended _ -> "ended";
    };
  }

  /**
   * How far a lease is, as lists go by it: the state, but a failure stays in sight until somebody
   * clears it away. The database computes the same, in the column {@code phase}.
   */
  enum Phase {
    WAITING,
    PROVISIONING,
    BOOTING,
    RUNNING,
    STOPPING,
    /** It failed, and nobody has cleared it away. */
    FAILED,
    /** Ended, or failed and cleared away. */
    GONE;

    /** Of a lease in this state. */
    static Phase of(LeaseState state, boolean dismissed) {
      return switch (state) {
        case Waiting _ -> WAITING;
        case Provisioning _ -> PROVISIONING;
        case Booting _ -> BOOTING;
        case Running _ -> RUNNING;
        case Stopping s -> s.why().isFailure() && !dismissed ? FAILED : STOPPING;
        case Ended e -> e.why().isFailure() && !dismissed ? FAILED : GONE;
      };
    }

    /** The name in the database. */
    String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Where a lease was placed.
   *
   * @param offer the offer, with the number of GPUs taken
   * @param node the node; empty when the provider chooses
   * @param gpuIds the GPUs of that node; empty when the provider chooses
   */
  record Place(Offer offer, String node, List<String> gpuIds) {

    public Place {
      gpuIds = List.copyOf(gpuIds);
    }
  }
}
