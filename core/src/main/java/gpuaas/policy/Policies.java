package gpuaas.policy;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.DatabaseGone;
import gpuaas.db.Tx;
import gpuaas.policy.PolicyBook.Place;
import gpuaas.policy.PolicyStore.Stamp;
import gpuaas.policy.PolicyValue.Scope;
import gpuaas.policy.PolicyValue.Slot;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The values of policies. All that were set are held in memory: who asks waits for nobody, and
 * hears the last that was known while the database is away.
 */
public final class Policies {

  private static final Logger log = LoggerFactory.getLogger(Policies.class);
  private static final int VALUES_MOST = 100_000;

  private final Database database;
  private final InstantSource clock;
  private final PolicyRules rules;
  private Stamp stamp = new Stamp(0, 0);
  private volatile PolicyBook book;

  private Policies(Database database, InstantSource clock, PolicyRules rules) {
    this.database = database;
    this.clock = clock;
    this.rules = rules;
    this.book = new PolicyBook(rules.defaults(), List.of());
  }

  /** With what was set until now. */
  public static Policies open(Database database, InstantSource clock, PolicyRules rules) {
    Policies policies = new Policies(database, clock, rules);
    policies.read();
    return policies;
  }

  /** Reads again what was set, if anything was; to be called every {@code readEvery}. */
  public synchronized void read() {
    database.read(tx -> {
      // The stamp first: what is set between the two is read again the next time.
      Stamp now = PolicyStore.stamp(tx);
      if (!now.equals(stamp)) {
        book = new PolicyBook(rules.defaults(), PolicyStore.all(tx, VALUES_MOST));
        stamp = now;
      }
      return now;
    });
  }

  /** What holds in a project, from memory. */
  public long value(PolicyDefinition definition, UUID tenant, UUID project) {
    return book.holds(definition, place(tenant, project)).value();
  }

  private static Place place(UUID tenant, UUID project) {
    return new Place(Optional.of(tenant), Optional.of(project));
  }

  /** What holds where the caller acts. */
  public List<Holding> here(Caller caller) {
    caller.require(Action.SELF_READ);
    return all(place(caller.tenant(), caller.project()));
  }

  /** What holds where nobody set anything for a tenant or a project. */
  public List<Holding> everywhere(Caller caller) {
    caller.require(Action.PLATFORM_OPERATE);
    return all(Place.EVERYWHERE);
  }

  private List<Holding> all(Place place) {
    PolicyBook now = book;
    return Arrays.stream(PolicyDefinition.values())
        .map(definition -> now.holds(definition, place))
        .toList();
  }

  /** All values that were set, the last first. */
  public Page<PolicyValue> list(Caller caller, Optional<Long> before, int limit) {
    caller.require(Action.PLATFORM_OPERATE);
    List<PolicyValue> found = database.read(tx -> PolicyStore.list(tx, before, limit + 1));
    boolean more = found.size() > limit;
    List<PolicyValue> page = more ? found.subList(0, limit) : found;
    return new Page<>(
        page, more ? Optional.of(Long.toString(page.getLast().version())) : Optional.empty());
  }

  /** What came of setting a value. */
  public sealed interface Outcome {
    /** It holds from now on. */
    record Set(PolicyValue value) implements Outcome {}

    /** It was too low or too high; nothing changed but the audit trail. */
    record OutOfBounds(long lowest, long highest) implements Outcome {}
  }

  /**
   * Sets a value in place of what was there. As the platform, for anybody and within the bounds of
   * the policy; as a tenant, for itself or the project that the caller acts in, and up to what the
   * platform allows there.
   */
  public Outcome set(Tx tx, Caller caller, Slot slot, long value) {
    authorise(tx, caller, slot);
    long highest =
        switch (slot.author()) {
          case PLATFORM -> slot.definition().highest();
          case TENANT -> book.holds(slot.definition(), place(caller, slot.scope())).allowed();
        };
    if (value < slot.definition().lowest() || value > highest) {
      audit(tx, caller, Act.POLICY_BOUND_VIOLATION, slot, Long.toString(value));
      return new Outcome.OutOfBounds(slot.definition().lowest(), highest);
    }
    PolicyStore.lock(tx);
    if (PolicyStore.stamp(tx).count() >= VALUES_MOST) {
      throw new Refused(new Refusal.TooMany(Kind.POLICY, VALUES_MOST));
    }
    PolicyValue set = PolicyStore.put(tx, slot, value, caller.user(), clock.instant());
    audit(tx, caller, Act.POLICY_UPDATE, slot, Long.toString(value));
    tx.afterCommit(this::readOrLater);
    return new Outcome.Set(set);
  }

  private static Place place(Caller caller, Scope scope) {
    return scope == Scope.PROJECT
        ? place(caller.tenant(), caller.project())
        : new Place(Optional.of(caller.tenant()), Optional.empty());
  }

  /** Removes a value; false: there was none. */
  public boolean remove(Tx tx, Caller caller, Slot slot) {
    authorise(tx, caller, slot);
    PolicyStore.lock(tx);
    boolean there = PolicyStore.remove(tx, slot);
    if (there) {
      audit(tx, caller, Act.POLICY_UPDATE, slot, "");
      tx.afterCommit(this::readOrLater);
    }
    return there;
  }

  /** Who may set this, and whether it is there to be set. */
  private static void authorise(Tx tx, Caller caller, Slot slot) {
    UUID own = slot.scope() == Scope.PROJECT ? caller.project() : caller.tenant();
    switch (slot.author()) {
      case PLATFORM -> caller.require(Action.PLATFORM_OPERATE);
      case TENANT -> {
        caller.require(Action.POLICY_WRITE);
        if (!slot.owner().equals(own)) {
          throw new Refused(new Refusal.Denied(Action.POLICY_WRITE));
        }
      }
    }
    if (!slot.isSensible()) {
      throw new Refused(
          Refusal.Invalid.field(
              "scope",
              "must be wider: "
                  + slot.definition().key()
                  + " can be set down to "
                  + slot.definition().narrowest().text()));
    }
    if (!PolicyStore.isThere(tx, slot.scope(), slot.owner())) {
      throw new Refused(
          new Refusal.NotFound(
              slot.scope() == Scope.PROJECT ? Kind.PROJECT : Kind.TENANT, slot.owner().toString()));
    }
  }

  private void audit(Tx tx, Caller caller, Act act, Slot slot, String value) {
    Map<String, String> details =
        Map.of(
            "policy", slot.definition().key(),
            "scope", slot.scope().text(),
            "set_by", slot.author().text(),
            "value", value);
    AuditStore.append(tx, caller, act, slot.owner(), clock.instant(), details);
  }

  /** What was set is written down; if it cannot be read now, the next look finds it. */
  private void readOrLater() {
    try {
      read();
    } catch (DatabaseGone e) {
      log.warn("policies could not be read after a change: {}", e.getMessage());
    }
  }
}
