package gpuaas.catalog;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
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

  /** What a GPU of this want costs for an hour, in millionths. */
  public static long price(Tx tx, Want want) {
    return tx.query(
            """
            select price_per_gpu_hour_micros from sku
             where active and ((:sku = '' and gpu_model = :model) or sku = :sku)
             order by price_per_gpu_hour_micros limit 1
            """)
        .bind("sku", want.sku())
        .bind("model", want.gpuModel())
        .mapTo(Long.class)
        .findFirst()
        .orElseThrow(() -> new Refused(new Refusal.UnknownGpu(want.gpuModel())));
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
