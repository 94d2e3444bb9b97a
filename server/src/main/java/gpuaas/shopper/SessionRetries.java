package gpuaas.shopper;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refused;
import gpuaas.base.Standing;
import gpuaas.capacity.Catalog;
import gpuaas.capacity.Catalog.Failure;
import gpuaas.capacity.Catalog.Listed;
import gpuaas.catalog.OfferKey;
import gpuaas.db.Tx;
import gpuaas.events.Event;
import gpuaas.events.EventSink;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.Leases;
import gpuaas.shopper.SessionSpecs.Retry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What follows when a lease fails before anybody could use it: its offer is trusted less, and a
 * session that is to be tried again is asked for on another offer, opened by the same key.
 */
public final class SessionRetries implements EventSink {

  private static final Logger log = LoggerFactory.getLogger(SessionRetries.class);

  private final Supplier<Leases> leases;
  private final Supplier<Catalog> catalog;
  private final InstantSource clock;
  private final IntUnaryOperator draw;

  /**
   * @param leases asked when the first event comes
   * @param draw a random number below the given one
   */
  public SessionRetries(
      Supplier<Leases> leases,
      Supplier<Catalog> catalog,
      InstantSource clock,
      IntUnaryOperator draw) {
    this.leases = leases;
    this.catalog = catalog;
    this.clock = clock;
    this.draw = draw;
  }

  @Override
  public void take(Tx tx, List<Fed> events) {
    for (Fed fed : events) {
      boolean failed =
          EndReason.of(fed.event().details().getOrDefault("reason", ""))
              .flatMap(SessionRetries::failure)
              .isPresent();
      if (fed.event().type() == Event.Type.LEASE_ENDED && failed) {
        leases.get().find(tx, fed.event().lease()).ifPresent(lease -> ended(tx, lease));
      }
    }
  }

  private void ended(Tx tx, Lease lease) {
    boolean neverUsed = lease.history().readyAt().isEmpty();
    Optional<Failure> failure =
        lease.state() instanceof Ended ended && neverUsed ? failure(ended.why()) : Optional.empty();
    if (failure.isEmpty()) {
      return;
    }
    placedAt(tx, lease)
        .filter(_ -> SessionSpecs.isPlain(lease.spec()))
        .ifPresent(offer ->
            tx.afterCommit(() ->
                catalog
                    .get()
                    .failed(
                        offer,
                        lease.spec().want().gpuModel(),
                        failure.get(),
                        failure.get().name().toLowerCase(java.util.Locale.ROOT))));
    if (Integer.parseInt(lease.spec().notes().getOrDefault(SessionSpecs.RETRIES_LEFT, "0")) > 0) {
      again(tx, lease);
    }
  }

  /** What a failure says of the offer; what was refused at once has been told already. */
  private static Optional<Failure> failure(EndReason why) {
    return switch (why) {
      case BOOT_TIMEOUT -> Optional.of(Failure.SSH_TIMEOUT);
      case BOOT_FAILED -> Optional.of(Failure.INSTANCE_STOPPED);
      case LOST -> Optional.of(Failure.INSTANCE_VANISHED);
      case ASKED,
          EXPIRED,
          COMPLETED,
          COMMAND_FAILED,
          IDLE,
          RECLAIMED,
          OUT_OF_FUNDS,
          NO_CAPACITY,
          WAITED_TOO_LONG,
          DECLINED,
          GANG,
          FORCED,
          CLEANUP_UNPROVEN ->
          Optional.empty();
    };
  }

  private Optional<OfferKey> placedAt(Tx tx, Lease lease) {
    return leases.get().life(tx, lease.id()).stream()
        .filter(event -> event.type() == Event.Type.LEASE_PLACED)
        .map(Event::details)
        .filter(details -> details.containsKey("offer"))
        .reduce((_, later) -> later)
        .map(details ->
            new OfferKey(details.getOrDefault("provider", ""), details.getOrDefault("offer", "")));
  }

  private void again(Tx tx, Lease lease) {
    Map<String, String> notes = lease.spec().notes();
    Optional<Listed> failed = catalog.get().findSeen(notes.getOrDefault(SessionSpecs.OFFER, ""));
    Duration left =
        lease.expires().map(end -> Duration.between(clock.instant(), end)).orElse(Duration.ZERO);
    if (failed.isEmpty() || left.isNegative() || left.isZero()) {
      return;
    }
    List<String> gone = new ArrayList<>();
    Optional.ofNullable(notes.get(SessionSpecs.FAILED_OFFERS))
        .ifPresent(before -> gone.addAll(List.of(before.split(",", 100))));
    gone.add(failed.get().id());
    RetryScope scope =
        RetryScope.of(notes.getOrDefault(SessionSpecs.RETRY_SCOPE, "")).orElse(RetryScope.SAME_GPU);
    List<Listed> candidates =
        scope.candidates(failed.get(), catalog.get().seen(), new HashSet<>(gone));
    Optional<Listed> next = RetryScope.draw(candidates, draw);
    if (next.isEmpty()) {
      log.info("session {} failed, and nothing else will do", lease.id());
      return;
    }
    int count = Integer.parseInt(notes.getOrDefault(SessionSpecs.RETRY_COUNT, "0")) + 1;
    Retry retry = new Retry(lease.id().toString(), count, String.join(",", gone));
    LeaseSpec spec = SessionSpecs.again(lease.spec(), next.get(), retry, left);
    try {
      leases.get().request(tx, caller(lease), spec, Optional.empty());
    } catch (Refused no) {
      log.info("session {} is not tried again: {}", lease.id(), no.refusal());
    }
  }

  /** Who asked for the lease asks for the one in its place. */
  private static Caller caller(Lease lease) {
    return new Caller(
        lease.requestedBy(),
        "retry of " + lease.id(),
        lease.tenant(),
        lease.project(),
        Standing.OWNER,
        lease.apiKey().map(key -> new Caller.Key(key, Set.of(Action.LEASE_CREATE))),
        lease.correlationId());
  }
}
