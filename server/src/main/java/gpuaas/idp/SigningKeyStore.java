package gpuaas.idp;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;

/** Signing keys in the database, sealed. */
final class SigningKeyStore {

  private SigningKeyStore() {}

  /** A sealed key. */
  record Sealed(String id, String sealed, Instant madeAt) {}

  /** All of them, the youngest first. */
  static List<Sealed> all(Tx tx) {
    return tx.query("select id, sealed, made_at from signing_key order by made_at desc, id desc")
        .map(row ->
            new Sealed(
                row.getColumn("id", String.class),
                row.getColumn("sealed", String.class),
                row.getColumn("made_at", Instant.class)))
        .list();
  }

  /** Adds one, unless there is one that is younger than this. */
  static void add(Tx tx, String id, String sealed, Instant now, Instant youngerThan) {
    tx.update(
            "insert into signing_key (id, sealed, made_at) select :id, :sealed, :now where not"
                + " exists (select 1 from signing_key where made_at > :youngerThan) on conflict do"
                + " nothing")
        .bind("id", id)
        .bind("sealed", sealed)
        .bind("now", now)
        .bind("youngerThan", youngerThan)
        .execute();
  }

  /** All but the youngest sign no more; those that have not for so long are forgotten. */
  static void retire(Tx tx, Instant now, Instant forgetBefore) {
    tx.update(
            "update signing_key set retired_at = :now where retired_at is null and made_at <"
                + " (select max(made_at) from signing_key)")
        .bind("now", now)
        .execute();
    tx.update("delete from signing_key where retired_at < :before")
        .bind("before", forgetBefore)
        .execute();
  }
}
