package gpuaas.capacity;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.db.Database;
import java.util.List;

/** What our own machines have, and what is wanted of them, by everybody. */
public final class Cluster {

  private final Database database;

  public Cluster(Database database) {
    this.database = database;
  }

  /**
   * GPUs of one model on our own machines.
   *
   * @param mostPerNode the most that one machine has
   * @param held by leases
   * @param wanted by leases that wait
   */
  public record ModelUse(String model, int total, int mostPerNode, int held, int wanted) {}

  /** By model, in the order of their names. */
  public List<ModelUse> models(Caller caller) {
    caller.require(Action.CATALOG_READ);
    return database.read(NodeStore::cluster);
  }
}
