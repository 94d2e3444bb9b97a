package gpuaas.lease;

import gpuaas.archive.Archive;
import gpuaas.archive.Archives;
import gpuaas.archive.Archives.Progress;
import gpuaas.command.Commands;
import gpuaas.lease.LeaseBook.Signals;
import gpuaas.lease.LeaseHistory.Trouble;
import gpuaas.lease.LeaseSignal.Gone;
import gpuaas.lease.LeaseSignal.Troubled;
import gpuaas.lease.LeaseSignal.Warned;
import gpuaas.lease.LeaseSignal.Warning;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.provider.Providers;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import gpuaas.work.Next;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The one way to tear down: destroy everything with the lease's tag at every provider that may have
 * something, until they agree that nothing is left, and not before it is certain that nothing can
 * still turn up. What is to be kept of it is taken out first, within a limit.
 */
final class Destroying {

  private static final Duration FILES_PAUSE = Duration.ofMillis(500);
  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

  private final Providers providers;
  private final Archives archives;
  private final Commands commands;
  private final Signals signals;
  private final String deployment;
  private final LeaseRules rules;

  Destroying(
      Providers providers,
      Archives archives,
      Commands commands,
      Signals signals,
      String deployment,
      LeaseRules rules) {
    this.providers = providers;
    this.archives = archives;
    this.commands = commands;
    this.signals = signals;
    this.deployment = deployment;
    this.rules = rules;
  }

  Next step(Lease lease, Stopping stopping) {
    Optional<Next> keeping = keep(lease, stopping);
    if (keeping.isPresent()) {
      return keeping.get();
    }
    drain(lease, stopping);
    Instant lookedAt = signals.now();
    List<String> left = new ArrayList<>();
    for (String name : namesToAsk(stopping)) {
      left.addAll(left(name, lease, stopping));
    }
    boolean isQuiet = !lookedAt.isBefore(stopping.quietFrom());
    if (left.isEmpty() && isQuiet) {
      return signals.goOn(lease, new Gone());
    }
    if (isQuiet && isStuck(lease, stopping, lookedAt)) {
      signals.apply(lease, new Troubled(lease.history().trouble().stuck(String.join("; ", left))));
    }
    return Next.after(pause(stopping, lookedAt));
  }

  /** True when it is to be told, once, that its end takes too long. It goes on all the same. */
  private boolean isStuck(Lease lease, Stopping stopping, Instant now) {
    Trouble trouble = lease.history().trouble();
    Instant from = trouble.stopAskedAgainAt().orElse(stopping.since());
    return !trouble.takesTooLong() && !now.isBefore(from.plus(rules.stopLimit()));
  }

  private void drain(Lease lease, Stopping stopping) {
    boolean ran = lease.history().readyAt().isPresent() && stopping.why() != EndReason.LOST;
    if (ran && lease.spec().command().isPresent() && stopping.instance().isPresent()) {
      commands.drain(lease.id(), stopping.instance().get(), stopping.since());
    }
  }

  /** What to do before it may be destroyed; empty: nothing. */
  private Optional<Next> keep(Lease lease, Stopping stopping) {
    Optional<Archive.Owner> owner = lease.keeper();
    boolean told =
        lease.history().told().contains(Warning.FILES_KEPT)
            || lease.history().told().contains(Warning.FILES_LOST);
    boolean used = lease.history().readyAt().isPresent();
    if (owner.isEmpty() || !used || told || stopping.instance().isEmpty()) {
      owner.ifPresent(one -> archives.forget(one.lease()));
      return Optional.empty();
    }
    Progress progress =
        stopping.why() == EndReason.LOST
            ? archives.lost(owner.get(), "the machine was lost before it ended")
            : archives.save(owner.get(), stopping.instance().get(), stopping.since());
    if (progress == Progress.UNDER_WAY) {
      return Optional.of(Next.after(FILES_PAUSE));
    }
    Warning what = progress == Progress.DONE ? Warning.FILES_KEPT : Warning.FILES_LOST;
    signals.apply(lease, new Warned(what, archives.details(lease.id())));
    return Optional.of(Next.now());
  }

  /** What a look after the last destroy found at this provider, or why none was possible. */
  private List<String> left(String name, Lease lease, Stopping stopping) {
    Provider provider = providers.get(name);
    List<String> left = new ArrayList<>();
    try {
      for (InstanceRef instance : instances(provider, lease, stopping, name)) {
        provider.destroy(instance);
        if (provider.inspect(instance).isPresent()) {
          left.add(name + " still has " + instance.id());
        }
      }
    } catch (ProviderException couldNotAsk) {
      left.add(
          name
              + " does not confirm it: "
              + Probing.shown(String.valueOf(couldNotAsk.getMessage())));
    }
    return left;
  }

  /**
   * What the first try made is all there is. Otherwise everywhere: an earlier try may have left
   * something at another provider. So a market that is down holds up only those who tried it, or
   * may have.
   */
  private List<String> namesToAsk(Stopping stopping) {
    Optional<String> known = stopping.instance().map(InstanceRef::provider);
    if (known.isPresent() && stopping.attempt() == 1) {
      return List.of(known.get());
    }
    List<String> names = new ArrayList<>(providers.names());
    known.filter(name -> !names.contains(name)).ifPresent(names::add);
    return names;
  }

  private List<InstanceRef> instances(
      Provider provider, Lease lease, Stopping stopping, String name) {
    List<InstanceRef> instances = new ArrayList<>();
    stopping
        .instance()
        .filter(instance -> instance.provider().equals(name))
        .ifPresent(instances::add);
    for (Owned owned : provider.list(deployment)) {
      if (owned.tag().lease().equals(lease.id()) && !instances.contains(owned.instance())) {
        instances.add(owned.instance());
      }
    }
    return instances;
  }

  private Duration pause(Stopping stopping, Instant now) {
    Duration tenth = Duration.between(stopping.since(), now).dividedBy(10);
    Duration longest =
        rules.watchEvery().compareTo(LONGEST_PAUSE) < 0 ? rules.watchEvery() : LONGEST_PAUSE;
    if (tenth.compareTo(SHORTEST_PAUSE) < 0) {
      return SHORTEST_PAUSE;
    }
    return tenth.compareTo(longest) < 0 ? tenth : longest;
  }
}
