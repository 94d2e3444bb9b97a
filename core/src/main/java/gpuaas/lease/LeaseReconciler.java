package gpuaas.lease;

import gpuaas.archive.Archives;
import gpuaas.command.Command;
import gpuaas.command.CommandReconciler;
import gpuaas.command.Commands;
import gpuaas.disk.Disks;
import gpuaas.lease.LeaseBook.Signals;
import gpuaas.lease.LeaseSignal.StopAsked;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.provider.Providers;
import gpuaas.work.Next;
import gpuaas.work.Reconciler;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * Brings a lease one step closer to where it should be. Each state has one class that does its
 * step; any number of these may run anywhere at once, for the version on the row decides.
 */
public final class LeaseReconciler implements Reconciler, CommandReconciler.Leased {

  private final LeaseBook book;
  private final InstantSource clock;
  private final LeaseRules rules;
  private final Signals signals;
  private final Placing placing;
  private final Finding finding;
  private final Probing probing;
  private final Watching watching;
  private final Destroying destroying;

  LeaseReconciler(
      LeaseBook book,
      Providers providers,
      LeaseParts.Readiness readiness,
      Archives archives,
      Disks disks,
      Commands commands,
      String deployment,
      InstantSource clock,
      LeaseRules rules,
      Function<UUID, Optional<Instant>> lastTraffic) {
    this.book = book;
    this.clock = clock;
    this.rules = rules;
    this.signals = new Signals(book, clock, rules, this::step);
    this.placing = new Placing(book, providers, disks, signals, deployment, rules);
    this.finding = new Finding(providers, signals, deployment, rules);
    this.probing = new Probing(providers, readiness, archives, signals, rules);
    this.watching = new Watching(providers, signals, rules, lastTraffic);
    this.destroying = new Destroying(providers, archives, commands, signals, deployment, rules);
  }

  @Override
  public String kind() {
    return "lease";
  }

  @Override
  public Next step(UUID id) throws InterruptedException {
    Optional<Lease> found = book.find(id);
    return found.isEmpty() ? Next.done() : step(found.get());
  }

  private Next step(Lease lease) throws InterruptedException {
    if (lease.isOverdue(clock.instant())) {
      return signals.goOn(lease, new StopAsked(EndReason.EXPIRED));
    }
    boolean waits = lease.state() instanceof Waiting;
    if (waits
        && lease
            .spec()
            .givesUp(lease.createdAt())
            .filter(at -> !clock.instant().isBefore(at))
            .isPresent()) {
      return signals.goOn(lease, new StopAsked(EndReason.WAITED_TOO_LONG));
    }
    if (lease.isReclaimDue(clock.instant())) {
      return signals.goOn(lease, new StopAsked(EndReason.RECLAIMED));
    }
    Optional<EndReason> pulled = pulled(lease);
    if (pulled.isPresent()) {
      return signals.goOn(lease, new StopAsked(pulled.get()));
    }
    return switch (lease.state()) {
      case Waiting w -> placing.step(lease, w);
      case Provisioning p -> finding.step(lease, p);
      case Booting b -> probing.step(lease, b);
      case Running r -> watching.step(lease, r);
      case Stopping s -> destroying.step(lease, s);
      case Ended _ -> Next.done();
    };
  }

  @Override
  public Optional<CommandReconciler.Target> target(UUID id) {
    return book.find(id)
        .filter(lease -> lease.state() instanceof Running)
        .flatMap(lease ->
            lease
                .spec()
                .command()
                .map(command ->
                    new CommandReconciler.Target(
                        ((Running) lease.state()).instance(),
                        command.text(),
                        ((Running) lease.state()).since())));
  }

  @Override
  public boolean ended(UUID id, Command.Exit exit) {
    Optional<Lease> lease =
        book.find(id)
            .filter(one -> one.spec().command().map(LeaseSpec.Command::endsLease).orElse(false))
            .filter(one -> !one.state().isOver());
    EndReason why = exit.isSuccess() ? EndReason.COMPLETED : EndReason.COMMAND_FAILED;
    return lease
        .map(one -> book.write(one.on(new StopAsked(why), clock.instant(), rules)))
        .orElse(true);
  }

  /** What becomes of the other members when one ends for this; empty: they go on. */
  private static Optional<EndReason> whatOthersEndBy(EndReason why) {
    return switch (why) {
      case ASKED, EXPIRED, IDLE, RECLAIMED, OUT_OF_FUNDS, WAITED_TOO_LONG, FORCED ->
          Optional.of(why);
      case COMPLETED -> Optional.empty(); // each ends with its own work
      case COMMAND_FAILED,
          NO_CAPACITY,
          DECLINED,
          BOOT_FAILED,
          BOOT_TIMEOUT,
          LOST,
          GANG,
          CLEANUP_UNPROVEN ->
          Optional.of(EndReason.GANG);
    };
  }

  /** Why it ends with the others of its gang, or since they never came. */
  private Optional<EndReason> pulled(Lease lease) {
    boolean alone = lease.spec().gang().isEmpty();
    if (alone || lease.state().isOver()) {
      return Optional.empty();
    }
    List<Lease> mates = book.mates(lease);
    Optional<EndReason> first =
        mates.stream()
            .flatMap(mate -> mate.state().end().stream())
            .flatMap(why -> whatOthersEndBy(why).stream())
            .findFirst();
    if (first.isPresent()) {
      return first;
    }
    boolean complete = mates.size() + 1 >= lease.spec().gang().get().size();
    boolean late = !clock.instant().isBefore(lease.createdAt().plus(rules.queue().gangWait()));
    return complete || !late ? Optional.empty() : Optional.of(EndReason.GANG);
  }
}
