package gpuaas.queue;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.db.Database;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;

/** Who may have how many GPUs: what administrators do about it. */
public final class Quotas {

  private final Database database;
  private final InstantSource clock;

  public Quotas(Database database, InstantSource clock) {
    this.database = database;
    this.clock = clock;
  }

  /** All of them. */
  public List<Quota> list(Caller caller) {
    caller.require(Action.BILLING_WRITE);
    return database.read(QuotaStore::all);
  }

  /** Sets one, in place of what was there. Who holds more than that keeps it. */
  public void set(Caller caller, Quota quota) {
    caller.require(Action.BILLING_WRITE);
    database.run(tx -> {
      QuotaStore.put(tx, quota, clock.instant());
      AuditStore.append(tx, caller, Act.QUOTA_SET, quota.owner(), clock.instant());
    });
  }

  /** Removes one; false: there was none. */
  public boolean remove(Caller caller, Quota.Scope scope, UUID owner, String gpuModel) {
    caller.require(Action.BILLING_WRITE);
    return database.tx(tx -> {
      boolean there = QuotaStore.remove(tx, scope, owner, gpuModel);
      if (there) {
        AuditStore.append(tx, caller, Act.QUOTA_REMOVE, owner, clock.instant());
      }
      return there;
    });
  }
}
