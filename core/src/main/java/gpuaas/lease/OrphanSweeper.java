package gpuaas.lease;

import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.provider.Providers;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Destroys every instance that carries our tag and that no lease names or may be about to name.
 * Lists first and reads the lease after, so that what was made in between is never taken for an
 * orphan.
 */
public final class OrphanSweeper {

  private final LeaseBook book;
  private final Providers providers;
  private final String deployment;

  OrphanSweeper(LeaseBook book, Providers providers, String deployment) {
    this.book = book;
    this.providers = providers;
    this.deployment = deployment;
  }

  /** Sweeps one provider. Throws only when the provider could not be asked for its list. */
  public Swept sweep(String providerName) {
    Provider provider = providers.get(providerName);
    List<Owned> destroyed = new ArrayList<>();
    List<Owned> left = new ArrayList<>();
    for (Owned owned : provider.list(deployment)) {
      if (isOwned(owned, book.find(owned.tag().lease()))) {
        continue;
      }
      try {
        provider.destroy(owned.instance());
        destroyed.add(owned);
      } catch (ProviderException no) {
        left.add(owned); // the next sweep tries again
      }
    }
    free(providerName, provider, left);
    return new Swept(destroyed, left);
  }

  /** What a lease held that ended without a proof is free when nothing of it is there any more. */
  private void free(String providerName, Provider provider, List<Owned> left) {
    List<Lease> unproven = book.unproven(providerName);
    if (unproven.isEmpty()) {
      return;
    }
    Set<UUID> there = new HashSet<>();
    left.forEach(owned -> there.add(owned.tag().lease()));
    provider.list(deployment).forEach(owned -> there.add(owned.tag().lease()));
    unproven.stream().filter(lease -> !there.contains(lease.id())).forEach(book::proven);
  }

  /** What a sweep did: orphans destroyed, and orphans that could not be. */
  public record Swept(List<Owned> destroyed, List<Owned> left) {}

  /** True when the lease names the instance, or may be about to. */
  static boolean isOwned(Owned owned, Optional<Lease> lease) {
    return lease.isPresent()
        && switch (lease.get().state()) {
          case Waiting _, Ended _ -> false;
          case Provisioning p -> p.attempt() == owned.tag().attempt();
          case Booting b -> b.instance().equals(owned.instance());
          case Running r -> r.instance().equals(owned.instance());
          case Stopping _ -> true; // being destroyed by the lease's own step
        };
  }
}
