package gpuaas.capacity;

import gpuaas.catalog.OfferKey;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What came of offers that were taken, from all servers. */
final class OutcomeStore {

  private static final String WORKED = "WORKED";
  private static final int OUTCOMES_MOST = 20_000;
  private static final int REASON_LENGTH_MOST = 500;

  private OutcomeStore() {}

  /** Writes one, and forgets those that no rule looks back to. */
  static void add(Tx tx, Outcome outcome, Instant keepFrom) {
    tx.update(
            """
            insert into offer_outcome (provider, offer_id, gpu_model, outcome, reason, at)
            values (:provider, :offer, :model, :outcome, :reason, :at)
            """)
        .bind("provider", outcome.offer().provider())
        .bind("offer", outcome.offer().id())
        .bind("model", outcome.gpuModel())
        .bind("outcome", outcome.failure().map(Enum::name).orElse(WORKED))
        .bind(
            "reason",
            outcome.reason().substring(0, Math.min(REASON_LENGTH_MOST, outcome.reason().length())))
        .bind("at", outcome.at())
        .execute();
    tx.update("delete from offer_outcome where at < :from").bind("from", keepFrom).execute();
  }

  /** Those since then, oldest first; of too many, the latest. */
  static List<Outcome> since(Tx tx, Instant from) {
    return tx.query(
            "select * from offer_outcome where at >= :from order by at desc, id desc limit :most")
        .bind("from", from)
        .bind("most", OUTCOMES_MOST)
        .map(row ->
            new Outcome(
                new OfferKey(
                    row.getColumn("provider", String.class),
                    row.getColumn("offer_id", String.class)),
                row.getColumn("gpu_model", String.class),
                failure(row.getColumn("outcome", String.class)),
                row.getColumn("reason", String.class),
                row.getColumn("at", Instant.class)))
        .list()
        .reversed();
  }

  private static Optional<Catalog.Failure> failure(String outcome) {
    return outcome.equals(WORKED)
        ? Optional.empty()
        : Optional.of(Catalog.Failure.valueOf(outcome));
  }
}
