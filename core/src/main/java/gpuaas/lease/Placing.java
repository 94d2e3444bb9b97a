package gpuaas.lease;

import gpuaas.catalog.Gang;
import gpuaas.disk.Disks;
import gpuaas.lease.LeaseBook.Signals;
import gpuaas.lease.LeaseBook.Turn.Full;
import gpuaas.lease.LeaseBook.Turn.MovedOn;
import gpuaas.lease.LeaseBook.Turn.Taken;
import gpuaas.lease.LeaseSignal.Created;
import gpuaas.lease.LeaseSignal.Decline;
import gpuaas.lease.LeaseSignal.Declined;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.provider.Providers;
import gpuaas.queue.QueueRules;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import gpuaas.work.Next;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The step of a waiting lease: choose a place, write the intent, ask the provider, write the
 * outcome. Whoever wrote the intent asks, and nobody else; whoever cannot write the outcome undoes
 * it.
 */
final class Placing {

  private static final Duration DISK_PAUSE = Duration.ofMillis(200);
  private static final Duration LOOK_FOR_ROOM = Duration.ofSeconds(5);

  /** Who is in the line is woken when the turn comes; this is for what may go wrong with that. */
  private static final Duration LOOK_RARELY = Duration.ofMinutes(1);

  private static final Duration LOOK_OFTEN = Duration.ofSeconds(1);
  private static final Duration FIRST_PAUSE = Duration.ofMillis(250);
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

  private final LeaseBook book;
  private final Providers providers;
  private final Disks disks;
  private final Signals signals;
  private final String deployment;
  private final QueueRules rules;

  Placing(
      LeaseBook book,
      Providers providers,
      Disks disks,
      Signals signals,
      String deployment,
      LeaseRules rules) {
    this.rules = rules.queue();
    this.book = book;
    this.providers = providers;
    this.disks = disks;
    this.signals = signals;
    this.deployment = deployment;
  }

  Next step(Lease lease, Waiting waiting) {
    if (lease.spec().disk().isPresent()) {
      switch (disks.readiness(lease.spec().disk().get())) {
        case READY -> {}
        case NOT_YET -> {
          return Next.after(DISK_PAUSE);
        }
        case NEVER -> {
          return signals.goOn(lease, new Declined(waiting.tries(), Decline.REJECTED));
        }
      }
    }
    return switch (book.place(lease, signals.now())) {
      case Taken(Lease placed) when placed.state() instanceof Provisioning intent ->
          ask(placed, intent);
      case Taken(Lease placed) ->
          throw new IllegalStateException("placed, but " + placed.state().text());
      case MovedOn _ -> Next.now();
      case Full(boolean makingRoom) -> {
        boolean fails = !makingRoom && lease.spec().whenFull() == LeaseSpec.WhenFull.FAIL;
        // Who wants this very offer gains nothing by waiting for it.
        boolean hopeless = lease.spec().want().offer().isPresent();
        boolean late = !signals.now().isBefore(lease.createdAt().plus(lease.spec().patience()));
        if (fails && (hopeless || late)) {
          yield signals.goOn(lease, new Declined(waiting.tries(), Decline.NO_CAPACITY));
        }
        boolean often = waiting.tries() > 0 || lease.spec().gang().isPresent();
        Duration pause = often ? LOOK_FOR_ROOM : LOOK_RARELY;
        yield Next.after(fails || makingRoom ? LOOK_OFTEN : noLongerThanItWaits(lease, pause));
      }
    };
  }

  private Duration noLongerThanItWaits(Lease lease, Duration pause) {
    Duration left =
        lease
            .spec()
            .givesUp(lease.createdAt())
            .map(end -> Duration.between(signals.now(), end))
            .orElse(pause);
    return left.compareTo(pause) < 0 && !left.isNegative() ? left : pause;
  }

  private Next ask(Lease lease, Provisioning intent) {
    InstanceRef made;
    try {
      made = provider(intent).create(request(lease, intent));
    } catch (ProviderException no) {
      return refused(lease, intent, no);
    }
    return write(lease, intent, made);
  }

  private Next write(Lease lease, Provisioning intent, InstanceRef made) {
    Created outcome = new Created(intent.attempt(), made);
    Next next = signals.goOn(lease, outcome);
    if (next instanceof Next.GoOn) {
      return next;
    }
    // Somebody asked it to stop meanwhile: say what was made, so that stopping need not wait and
    // see.
    Optional<Lease> stopping = stoppingUnheard(lease, intent);
    if (stopping.isEmpty() || !signals.apply(stopping.get(), outcome)) {
      provider(intent).destroy(made);
    }
    return next;
  }

  private Next refused(Lease lease, Provisioning intent, ProviderException no) {
    if (!no.surelyNothingHappened()) {
      return Next.now(); // it may exist: the next step looks for it, and never asks again
    }
    Declined outcome = new Declined(intent.attempt(), reason(no));
    if (!signals.apply(lease, outcome)) {
      stoppingUnheard(lease, intent).ifPresent(stopping -> signals.apply(stopping, outcome));
      return Next.now();
    }
    Duration pause =
        no instanceof ProviderException.RateLimited limited
            ? limited.retryAfter()
            : pauseAfter(intent.attempt());
    return Next.after(pause);
  }

  private Optional<Lease> stoppingUnheard(Lease lease, Provisioning intent) {
    return book.find(lease.id())
        .filter(now ->
            now.state() instanceof Stopping stopping
                && stopping.instance().isEmpty()
                && stopping.attempt() == intent.attempt());
  }

  private InstanceRequest request(Lease lease, Provisioning intent) {
    Map<String, String> environment = new HashMap<>(lease.spec().environment());
    environment.put("GPUAAS_LEASE_ID", lease.id().toString());
    Optional<Gang> gang = lease.spec().gang();
    gang.map(it -> it.environment(lease.spec().want().gpus(), rules.gangPort()))
        .ifPresent(variables -> variables.forEach(environment::putIfAbsent));
    return new InstanceRequest(
        new OwnerTag(deployment, lease.id(), intent.attempt()),
        intent.place().offer(),
        intent.place().node(),
        intent.place().gpuIds(),
        lease.spec().image(),
        book.authorizedKeys(lease),
        environment,
        lease.hostName(),
        lease.spec().launch(),
        lease.spec().disk().map(UUID::toString),
        gang.map(Gang::membership));
  }

  private Provider provider(Provisioning intent) {
    return providers.get(intent.place().offer().provider());
  }

  private static Duration pauseAfter(int attempt) {
    Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.min(attempt, 10));
    return pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE;
  }

  private static Decline reason(ProviderException no) {
    return switch (no) {
      case ProviderException.NoCapacity _ -> Decline.NO_CAPACITY;
      case ProviderException.OfferGone _ -> Decline.OFFER_GONE;
      case ProviderException.Rejected _ -> Decline.REJECTED;
      case ProviderException.BadCredentials _ -> Decline.BAD_CREDENTIALS;
      case ProviderException.RateLimited _ -> Decline.RATE_LIMITED;
      case ProviderException.Unavailable _ -> Decline.UNREACHABLE;
      case ProviderException.OutcomeUnknown _ -> Decline.NEVER_SEEN;
    };
  }
}
