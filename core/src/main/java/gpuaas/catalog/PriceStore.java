package gpuaas.catalog;

import gpuaas.db.Tx;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.time.Instant;
import java.util.Optional;

/** Prices in the database. */
public final class PriceStore {

  private static final int PRICES_MOST = 10_000;

  private PriceStore() {}

  /** All prices of a GPU model. */
  public static PriceBook of(Tx tx, String gpuModel) {
    return read(tx, Optional.of(gpuModel));
  }

  /** All prices. */
  public static PriceBook all(Tx tx) {
    return read(tx, Optional.empty());
  }

  private static PriceBook read(Tx tx, Optional<String> gpuModel) {
    return new PriceBook(
        tx.query(
                """
                select * from price where :model::text is null or gpu_model = :model
                 order by gpu_model, sku nulls last, region nulls first, tier, gpu_count_least, from_at limit :most
                """)
            .bind("model", gpuModel.orElse(null))
            .bind("most", PRICES_MOST)
            .map(row ->
                new Price(
                    Optional.ofNullable(row.getColumn("sku", String.class)),
                    row.getColumn("gpu_model", String.class),
                    Optional.ofNullable(row.getColumn("region", String.class)).map(Region::new),
                    Tier.valueOf(row.getColumn("tier", String.class)),
                    row.getColumn("gpu_count_least", Integer.class),
                    row.getColumn("price_per_gpu_hour_micros", Long.class),
                    row.getColumn("from_at", Instant.class)))
            .list());
  }

  /** A price from a date on; the same date again replaces it. */
  public static void put(Tx tx, Price price) {
    tx.update(
            """
            insert into price (sku, gpu_model, region, tier, gpu_count_least, price_per_gpu_hour_micros, from_at)
            values (:sku, :model, :region, :tier, :least, :price, :from)
            on conflict (coalesce(sku, ''), gpu_model, coalesce(region, ''), tier, gpu_count_least, from_at)
              do update set price_per_gpu_hour_micros = excluded.price_per_gpu_hour_micros
            """)
        .bind("sku", price.sku().orElse(null))
        .bind("model", price.gpuModel())
        .bind("region", price.region().map(Region::code).orElse(null))
        .bind("tier", price.tier().name())
        .bind("least", price.gpuCountLeast())
        .bind("price", price.pricePerGpuHourMicros())
        .bind("from", price.from())
        .execute();
  }
}
