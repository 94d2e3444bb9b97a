package gpuaas.lease;

import static gpuaas.lease.CrashedServer.await;
import static gpuaas.lease.CrashedServer.isEnding;

import gpuaas.db.Database;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Running;
import gpuaas.spi.Tier;
import java.util.UUID;

/** The story of a spot lease that has the only GPU, and of one on demand that needs it. */
final class CrashedReclaim {

  static final UUID SPOT = new UUID(0, 10);
  static final UUID FIRM = new UUID(0, 11);

  private CrashedReclaim() {}

  /** What steps call them. */
  static String name(UUID lease) {
    return lease.equals(SPOT) ? "spot" : "firm";
  }

  /** From wherever it is to its end. */
  static void tell(Database database, LeaseStore store) {
    CrashedServer.requestOnce(database, store, SPOT, Tier.SPOT);
    await("spot runs", store, SPOT, lease -> CrashedServer.wasMetered(lease) || isEnding(lease));
    CrashedServer.requestOnce(database, store, FIRM, Tier.ON_DEMAND);
    await("spot makes room", store, SPOT, lease -> lease.state() instanceof Ended);
    await("firm runs", store, FIRM, lease -> lease.state() instanceof Running || isEnding(lease));
    CrashedServer.stop(database, store, FIRM);
    await("firm ends", store, FIRM, lease -> lease.state() instanceof Ended);
  }
}
