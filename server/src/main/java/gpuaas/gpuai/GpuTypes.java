package gpuaas.gpuai;

import gpuaas.catalog.GpuType;
import gpuaas.catalog.GpuTypeStore;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** GPU types by name and by model. Names never change, so they are remembered. */
final class GpuTypes {

  private static final int REMEMBERED_MOST = 10_000;

  private final Database database;
  private final Map<String, GpuType> byModel = new ConcurrentHashMap<>();
  private final Map<String, GpuType> byName = new ConcurrentHashMap<>();

  GpuTypes(Database database) {
    this.database = database;
  }

  /** All of them, by name. */
  List<GpuType> list() {
    return database.read(GpuTypeStore::list);
  }

  /** The type of this name, if there is one. */
  Optional<GpuType> find(Tx tx, String name) {
    GpuType known = byName.get(name);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<GpuType> found =
        tx.recall(List.of("GPU type", name), own -> GpuTypeStore.find(own, name));
    found.filter(_ -> byName.size() < REMEMBERED_MOST).ifPresent(type -> byName.put(name, type));
    return found;
  }

  /** The type of a model that a lease has. */
  GpuType of(String model) {
    GpuType known = byModel.get(model);
    return known != null ? known : of(model, list());
  }

  /** The same inside a transaction, which must not wait for a connection beside its own. */
  GpuType of(Tx tx, String model) {
    GpuType known = byModel.get(model);
    return known != null ? known : of(model, GpuTypeStore.list(tx));
  }

  private GpuType of(String model, List<GpuType> all) {
    for (GpuType type : all) {
      if (byModel.size() < REMEMBERED_MOST) {
        byModel.put(type.model(), type);
      }
    }
    return Optional.ofNullable(byModel.get(model)).orElseGet(() -> GpuType.unknown(model, 0));
  }
}
