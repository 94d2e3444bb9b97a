package gpuaas.fill;

import gpuaas.command.Notices;
import gpuaas.db.Database;
import gpuaas.disk.DiskRules;
import gpuaas.fill.FillStore.InUse;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseSignal.Warned;
import gpuaas.lease.LeaseSignal.Warning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.Leases;
import gpuaas.provider.Providers;
import gpuaas.spi.ProviderException;
import gpuaas.spi.disk.Disks;
import gpuaas.spi.disk.Disks.Room;
import gpuaas.spi.disk.HasDisks;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks how full disks are that are in use, and tells those who use them, by an event and a notice
 * inside; and how full the pools are that they share, and tells who runs this. May run anywhere at
 * once.
 */
public final class FillWatch {

  private static final Logger log = LoggerFactory.getLogger(FillWatch.class);
  private static final String NOTICE = "disk";
  private static final double BYTES_PER_GIB = 1L << 30;

  private final Database database;
  private final Providers providers;
  private final Leases leases;
  private final Notices notices;
  private final DiskRules rules;
  private final Map<String, Integer> full = new ConcurrentSkipListMap<>();

  public FillWatch(Database database, Providers providers, Leases leases, DiskRules rules) {
    this.database = database;
    this.providers = providers;
    this.leases = leases;
    this.notices = new Notices(providers);
    this.rules = rules;
  }

  /** One look at everything. */
  public void look() {
    for (String name : providers.names()) {
      try {
        Optional<Disks> there = providers.ability(name, HasDisks.class).flatMap(HasDisks::disks);
        if (there.isPresent() && database.read(tx -> FillStore.isAny(tx, name))) {
          look(name, there.get());
        }
      } catch (ProviderException later) {
        log.warn("how full the disks of {} are is not known: {}", name, later.getMessage());
      }
    }
  }

  /** What who runs this should know now, in sentences. */
  public List<String> warnings() {
    return full.entrySet().stream().map(pool -> words(pool.getKey(), pool.getValue())).toList();
  }

  private static String words(String provider, int percent) {
    return "the room for disks of "
        + provider
        + " is "
        + percent
        + " % full, and no new ones are made; delete disks, or make the pool larger";
  }

  private void look(String provider, Disks at) {
    Room room = at.room();
    watchPool(provider, room.usedPercent());
    List<InUse> disks = database.read(tx -> FillStore.inUse(tx, provider));
    if (disks.isEmpty()) {
      return;
    }
    Map<String, Long> used =
        at.usedBytes(disks.stream().map(one -> one.disk().toString()).collect(Collectors.toSet()));
    Map<UUID, Long> changed = new HashMap<>();
    for (InUse disk : disks) {
      Optional<Long> bytes = Optional.ofNullable(used.get(disk.disk().toString()));
      bytes.filter(now -> now != disk.usedBytes()).ifPresent(now -> changed.put(disk.disk(), now));
      int percent = Fill.percent(disk.sizeBytes(), bytes, room);
      int holds = Fill.holding(percent, disk.told(), rules.warnPercents());
      if (holds != disk.told()) {
        tell(disk, percent, holds);
      }
    }
    database.run(tx -> FillStore.used(tx, changed));
  }

  private void watchPool(String provider, int percent) {
    if (percent < rules.poolFullPercent()) {
      if (full.remove(provider) != null) {
        log.info("the room for disks of {} is {} % full: there is enough again", provider, percent);
      }
    } else if (full.put(provider, percent) == null) {
      log.warn("{}", words(provider, percent));
    }
  }

  /** Told when it is more than before; else what was said inside is taken back or put right. */
  private void tell(InUse disk, int percent, int holds) {
    Map<String, String> details =
        Map.of("disk", disk.name(), "used_percent", Integer.toString(percent));
    Warned warned = new Warned(Warning.DISK_FILLING, details);
    Optional<Lease> running =
        database.tx(tx -> {
          Optional<Lease> lease = leases.lockRunning(tx, disk.lease());
          if (lease.isEmpty() || !FillStore.told(tx, disk, holds)) {
            return Optional.empty();
          }
          if (holds > disk.told()) {
            leases.warn(tx, lease.get(), warned);
          }
          return lease;
        });
    if (running.isPresent() && running.get().state() instanceof Running r) {
      if (holds == 0) {
        notices.clear(r.instance(), NOTICE);
      } else {
        notices.leave(r.instance(), NOTICE, words(disk, percent));
      }
    }
  }

  private static String words(InUse disk, int percent) {
    return "The disk "
        + disk.name()
        + " (home folder, "
        + Math.round(disk.sizeBytes() / BYTES_PER_GIB * 10) / 10.0
        + " GiB) is "
        + percent
        + " % full: what does not fit cannot be written";
  }
}
