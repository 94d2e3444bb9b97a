package gpuaas.catalog;

import gpuaas.db.Json;
import gpuaas.db.Tx;
import gpuaas.spi.Gpu;
import gpuaas.spi.Offer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The kinds of GPUs: those that are written down, and those that some provider has. */
public final class GpuTypeStore {

  private GpuTypeStore() {}

  /** All of them, by name. */
  public static List<GpuType> list(Tx tx) {
    List<GpuType> types = new ArrayList<>(written(tx));
    for (Gpu gpu : offered(tx)) {
      if (types.stream().noneMatch(type -> type.model().equals(gpu.model()))) {
        types.add(GpuType.unknown(gpu.model(), gpu.memoryMib()));
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

  private static List<GpuType> written(Tx tx) {
    return tx.query("select * from gpu_type order by gpu_type limit 1000")
        .map(row ->
            new GpuType(
                row.getColumn("model", String.class),
                row.getColumn("gpu_type", String.class),
                row.getColumn("vram_gb", Integer.class),
                Optional.of(row.getColumn("architecture", String.class))))
        .list();
  }

  private static List<Gpu> offered(Tx tx) {
    return tx
        .query("select body::text from offer order by provider, id limit 10000")
        .mapTo(String.class)
        .stream()
        .map(body -> Json.read(body, Offer.class).gpu())
        .distinct()
        .toList();
  }
}
