package gpuaas.audit;

import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Origin;
import gpuaas.base.Page;
import gpuaas.db.Database;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The trail as a whole: looked through, taken out, sealed, and checked. Who changes, deletes or
 * puts in an entry behind our back is found out by {@link #verify}; who cuts off the end, by
 * comparing the last hash with one that was noted elsewhere, as each export does.
 */
public final class Audit {

  private static final int SEALED_AT_ONCE = 1000;
  private static final int READ_AT_ONCE = 1000;
  private static final int REFUSALS_KNOWN_MOST = 10_000;
  private static final int DETAIL_LENGTH_MOST = 200;

  private final Database database;
  private final InstantSource clock;

  /** Refusals of the last second, so that who asks again and again does not fill the disk. */
  private final Map<List<String>, Instant> refusals =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<List<String>, Instant> eldest) {
          return size() > REFUSALS_KNOWN_MOST;
        }
      };

  public Audit(Database database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
  }

  /** Which entries; what is empty is any. */
  public record Filter(
      Optional<UUID> project,
      Optional<UUID> actor,
      Optional<UUID> target,
      Optional<String> action,
      Optional<String> result,
      Optional<Instant> from,
      Optional<Instant> to) {}

  /** The entries of the caller's tenant, newest first; of all, for an administrator. */
  public Page<Entry> search(Caller caller, Filter filter, Optional<Long> before, int limit) {
    caller.require(Action.AUDIT_READ);
    List<Entry> found =
        database.read(tx -> AuditStore.search(tx, tenant(caller), filter, before, limit + 1));
    boolean more = found.size() > limit;
    List<Entry> page = more ? found.subList(0, limit) : found;
    return new Page<>(
        page, more ? Optional.of(Long.toString(page.getLast().id())) : Optional.empty());
  }

  private static Optional<UUID> tenant(Caller caller) {
    return caller.isAdmin() && !caller.isConfined()
        ? Optional.empty()
        : Optional.of(caller.tenant());
  }

  /** What was refused. */
  public record Refusal(
      Optional<Caller> caller,
      Origin origin,
      boolean tooOften,
      String dialect,
      String method,
      String path,
      int status,
      String correlationId) {}

  /** Writes down that somebody was refused something; the same again within a second is not. */
  public void refused(Refusal refusal) {
    Instant now = clock.instant();
    List<String> same =
        List.of(
            refusal
                .caller()
                .map(caller -> caller.user().toString())
                .orElse(refusal.origin().address()),
            refusal.dialect(),
            refusal.method(),
            refusal.path(),
            Integer.toString(refusal.status()));
    synchronized (refusals) {
      Instant last = refusals.get(same);
      if (last != null && now.isBefore(last.plusSeconds(1))) {
        return;
      }
      refusals.put(same, now);
    }
    Map<String, String> details =
        Map.of(
            "service", refusal.dialect(),
            "method", refusal.method(),
            "path", shortened(refusal.path()),
            "status", Integer.toString(refusal.status()),
            "correlation_id", refusal.correlationId());
    Act act = refusal.tooOften() ? Act.RATE_LIMIT_BLOCK : Act.AUTHZ_DENY;
    database.run(
        tx -> AuditStore.refused(tx, refusal.caller(), refusal.origin(), act, now, details));
  }

  private static String shortened(String text) {
    return text.substring(0, Math.min(DETAIL_LENGTH_MOST, text.length())).replace('\0', ' ');
  }

  /** Seals what is complete; to be called again and again, by any number of servers. */
  public void seal() {
    while (sealSome() == SEALED_AT_ONCE) {
      // there is more
    }
  }

  private int sealSome() {
    return database.tx(tx -> {
      Optional<Seal> last = AuditStore.lastSeal(tx);
      List<Seal> seals = new ArrayList<>();
      for (Entry next : AuditStore.unsealed(tx, SEALED_AT_ONCE)) {
        Seal seal = Seal.after(last, next);
        seals.add(seal);
        last = Optional.of(seal);
      }
      AuditStore.seal(tx, seals, clock.instant());
      return seals.size();
    });
  }

  /** What a check of the whole trail found. */
  public sealed interface Verdict {
    /**
     * All is as it was written.
     *
     * @param entries that have a seal
     * @param head the last hash, 64 digits; all zero: there is nothing
     */
    record Whole(long entries, String head) implements Verdict {}

    /**
     * Somebody was at it.
     *
     * @param position of the first seal that does not fit
     * @param why in a sentence
     */
    record Broken(long position, String why) implements Verdict {}
  }

  /** Reads all of the trail and looks whether it is as it was written. */
  public Verdict verify(Caller caller) {
    caller.require(Action.PLATFORM_OPERATE);
    return verify();
  }

  /** The same, for whoever sits at the machine. */
  public Verdict verify() {
    Optional<Seal> last = Optional.empty();
    while (true) {
      long after = last.map(Seal::position).orElse(0L);
      List<Sealed> some = database.read(tx -> AuditStore.sealed(tx, after, READ_AT_ONCE));
      for (Sealed next : some) {
        long position = after(last);
        if (next.entry().isEmpty()) {
          return new Verdict.Broken(position, "its entry is gone");
        }
        if (!next.seal().fits(last, next.entry().get())) {
          return new Verdict.Broken(position, "its entry was changed, or a seal before it is gone");
        }
        last = Optional.of(next.seal());
      }
      if (some.size() < READ_AT_ONCE) {
        return ended(last);
      }
    }
  }

  private static long after(Optional<Seal> last) {
    return last.map(Seal::position).orElse(0L) + 1;
  }

  private Verdict ended(Optional<Seal> last) {
    long stray = database.read(AuditStore::countStray);
    if (stray > 0) {
      return new Verdict.Broken(
          after(last), stray + " entries were put in, or taken out, behind our back");
    }
    return new Verdict.Whole(
        last.map(Seal::position).orElse(0L), last.map(Seal::text).orElse("0".repeat(64)));
  }
}
