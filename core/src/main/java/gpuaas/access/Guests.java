package gpuaas.access;

import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.work.Next;
import gpuaas.work.Reconciler;
import gpuaas.work.WorkStore;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may enter leases by the keys that they publish elsewhere. The keys are fetched when somebody
 * is let in, and looked at again and again: one that vanished there opens nothing here, and closes
 * what it had opened. A source that cannot be asked changes nothing.
 */
public final class Guests implements Reconciler {

  private static final Logger log = LoggerFactory.getLogger(Guests.class);
  private static final String KIND = "guests";
  private static final int KEYS_MOST = 100;

  private final Database database;
  private final KeySource source;
  private final InstantSource clock;
  private final Rules rules;
  private final Runnable changed;
  private final BiConsumer<String, UUID> wake;

  /**
   * The intervals; each is a setting.
   *
   * @param recheckEvery how often the keys of somebody who may enter are looked at again
   * @param retryAfter when a source that could not be asked is asked again
   * @param guestsMost of one lease
   */
  public record Rules(Duration recheckEvery, Duration retryAfter, int guestsMost) {}

  /**
   * @param changed told when keys have changed, so that what they opened is looked at
   * @param wake told of work that is due now
   */
  public Guests(
      Database database,
      KeySource source,
      InstantSource clock,
      Rules rules,
      Runnable changed,
      BiConsumer<String, UUID> wake) {
    this.database = database;
    this.source = source;
    this.clock = clock;
    this.rules = rules;
    this.changed = changed;
    this.wake = wake;
  }

  /** Lets somebody in as soon as their keys are there; false: there are too many. */
  public boolean add(Tx tx, UUID lease, String name, boolean owner) {
    if (GuestStore.of(tx, List.of(lease)).size() >= rules.guestsMost()) {
      return false;
    }
    GuestStore.add(tx, lease, name, owner, clock.instant());
    dueNow(tx, lease);
    return true;
  }

  /** They may not enter any more; what they have open closes. False: they were none. */
  public boolean remove(Tx tx, UUID lease, String name) {
    boolean was = GuestStore.remove(tx, lease, name);
    tx.afterCommit(changed);
    return was;
  }

  /** The guests of these leases. */
  public List<Guest> of(List<UUID> leases) {
    return database.read(tx -> GuestStore.of(tx, leases));
  }

  /** The keys that open a lease by its guests. */
  public List<SshKey> keys(UUID lease) {
    return of(List.of(lease)).stream()
        .flatMap(guest -> guest.keys().stream())
        .map(SshKey::parse)
        .toList();
  }

  private void dueNow(Tx tx, UUID lease) {
    WorkStore.due(tx, KIND, lease, clock.instant());
    tx.afterCommit(() -> wake.accept(KIND, lease));
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Next step(UUID lease) throws InterruptedException {
    if (!database.read(tx -> GuestStore.isLiving(tx, lease))) {
      return Next.done();
    }
    boolean allAsked = true;
    boolean news = false;
    for (Guest guest : of(List.of(lease))) {
      try {
        Guest fetched = looked(guest, source.keys(guest.name()));
        news |= !fetched.equals(guest);
        Instant now = clock.instant();
        database.run(tx -> GuestStore.fetched(tx, fetched, now));
      } catch (KeySource.Away away) {
        log.warn("the keys of {} cannot be looked at: {}", guest.name(), away.getMessage());
        allAsked = false;
      }
    }
    if (news) {
      changed.run();
    }
    return Next.after(allAsked ? rules.recheckEvery() : rules.retryAfter());
  }

  /** What can be used of what is published; others may be of kinds that are not known here. */
  static Guest looked(Guest guest, List<String> lines) {
    List<String> keys =
        lines.stream()
            .limit(KEYS_MOST)
            .flatMap(Guests::parsed)
            .map(key -> key.type() + " " + key.blob())
            .distinct()
            .toList();
    String problem =
        keys.isEmpty() ? "there is nobody of this name, or they publish no SSH keys" : "";
    return new Guest(guest.lease(), guest.name(), guest.owner(), keys, problem);
  }

  private static Stream<SshKey> parsed(String line) {
    try {
      return Stream.of(SshKey.parse(line));
    } catch (IllegalArgumentException e) {
      return Stream.empty();
    }
  }
}
