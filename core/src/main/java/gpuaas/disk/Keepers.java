package gpuaas.disk;

import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.disk.Disks.Keeper;
import gpuaas.provider.Providers;
import gpuaas.spi.ProviderException;
import gpuaas.spi.disk.Disks.Room;
import gpuaas.spi.disk.HasDisks;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who keeps new disks; known for as long as it takes to look again. */
final class Keepers {

  private static final Logger log = LoggerFactory.getLogger(Keepers.class);

  private final Providers providers;
  private final InstantSource clock;
  private final DiskRules rules;
  private volatile @Nullable Known known;

  Keepers(Providers providers, InstantSource clock, DiskRules rules) {
    this.providers = providers;
    this.clock = clock;
    this.rules = rules;
  }

  private record Known(Optional<Keeper> keeper, Instant at) {}

  /** The first that has room, else the first. */
  Optional<Keeper> find() {
    Known last = known;
    Instant now = clock.instant();
    if (last == null || now.isAfter(last.at().plus(rules.lookEvery()))) {
      last = new Known(look(), now);
      known = last;
    }
    return last.keeper();
  }

  private Optional<Keeper> look() {
    Optional<Keeper> full = Optional.empty();
    for (String name : providers.names()) {
      try {
        Optional<gpuaas.spi.disk.Disks> there =
            providers.ability(name, HasDisks.class).flatMap(HasDisks::disks);
        if (there.isPresent()) {
          Room room = there.get().room();
          Keeper keeper = new Keeper(name, room.totalBytes(), room.usedPercent());
          if (keeper.usedPercent() < rules.poolFullPercent()) {
            return Optional.of(keeper);
          }
          full = full.or(() -> Optional.of(keeper));
        }
      } catch (ProviderException cannot) {
        log.warn("no disks can be kept at {}: {}", name, cannot.getMessage());
      }
    }
    return full;
  }

  /** Refuses a new disk where the room is short: better none than one that fails while in use. */
  Keeper withRoomFor(String disk) {
    Keeper keeper =
        find()
            .orElseThrow(() ->
                new Refused(
                    new Refusal.NeverFits("", "no provider of this deployment keeps disks")));
    if (keeper.usedPercent() >= rules.poolFullPercent()) {
      throw new Refused(
          new Refusal.WrongState(
              Kind.DISK,
              disk,
              "not made: the room for disks is "
                  + keeper.usedPercent()
                  + " % full; delete disks that nobody needs, or have the pool made larger",
              "in a pool with room"));
    }
    return keeper;
  }
}
