package gpuaas.catalog;

import gpuaas.db.Tx;
import gpuaas.spi.Gpu;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The kinds of GPUs: those that are written down, and those that some provider has. */
public final class GpuTypeStore {

  private GpuTypeStore() {}

  /** All of them, by name; places without GPUs are none. */
  public static List<GpuType> list(Tx tx) {
    List<GpuType> types = new ArrayList<>(written(tx));
    for (GpuType offered : offered(tx)) {
      if (!Gpu.isCpuPlace(offered.model())
          && types.stream().noneMatch(type -> type.model().equals(offered.model()))) {
        types.add(offered);
      }
    }
    types.sort(Comparator.comparing(GpuType::name));
    return types;
  }

  /** The kind of this name. */
  public static Optional<GpuType> find(Tx tx, String name) {
    Optional<GpuType> written =
        tx.query("select * from gpu_type where gpu_type = :name")
            .bind("name", name)
            .map(row ->
                new GpuType(
                    row.getColumn("model", String.class),
                    name,
                    row.getColumn("vram_gb", Integer.class),
                    Optional.of(row.getColumn("architecture", String.class))))
            .findOne();
    return written.or(() -> list(tx).stream().filter(type -> type.name().equals(name)).findFirst());
  }

  /** Those that are written down, by name. */
  public static List<GpuType> written(Tx tx) {
    return tx.query("select * from gpu_type order by gpu_type limit 1000")
        .map(row ->
            new GpuType(
                row.getColumn("model", String.class),
                row.getColumn("gpu_type", String.class),
                row.getColumn("vram_gb", Integer.class),
                Optional.of(row.getColumn("architecture", String.class))))
        .list();
  }

  private static List<GpuType> offered(Tx tx) {
    return tx.query(
            "select gpu_model, min(memory_mib) as memory_mib from offer group by gpu_model order by"
                + " gpu_model limit 1000")
        .map(row ->
            GpuType.unknown(
                row.getColumn("gpu_model", String.class),
                row.getColumn("memory_mib", Integer.class)))
        .list();
  }
}
