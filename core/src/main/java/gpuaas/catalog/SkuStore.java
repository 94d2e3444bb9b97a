package gpuaas.catalog;

import gpuaas.db.Json;
import gpuaas.db.Tx;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jdbi.v3.core.result.RowView;

/** Products in the database. */
public final class SkuStore {

  private static final String SELECT =
      """
      select sku, vendor, display_name, gpu_model, gpus_total, allowed_gpu_counts, capacity_shape,
             price_per_gpu_hour_micros, resource_profile::text as resource_profile
        from sku where active
      """;

  private SkuStore() {}

  /** What is sold. */
  public static List<Sku> list(Tx tx) {
    return tx.query(SELECT + " order by sku limit 1000").map(SkuStore::read).list();
  }

  /** One product, if it is sold. */
  public static Optional<Sku> find(Tx tx, String sku) {
    return tx.query(SELECT + " and sku = :sku").bind("sku", sku).map(SkuStore::read).findOne();
  }

  @SuppressWarnings("unchecked")
  private static Sku read(RowView row) {
    return new Sku(
        row.getColumn("sku", String.class),
        row.getColumn("vendor", String.class),
        row.getColumn("display_name", String.class),
        row.getColumn("gpu_model", String.class),
        row.getColumn("gpus_total", Integer.class),
        List.of(row.getColumn("allowed_gpu_counts", Integer[].class)),
        row.getColumn("capacity_shape", String.class).equals("baremetal"),
        row.getColumn("price_per_gpu_hour_micros", Long.class),
        Json.read(row.getColumn("resource_profile", String.class), Map.class));
  }
}
