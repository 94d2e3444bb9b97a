package gpuaas.operation;

import gpuaas.db.Tx;
import java.time.Instant;

/** Keys and answers in the database. */
final class IdempotencyStore {

  private IdempotencyStore() {}

  /** A key that was used, and whether for the same request. */
  record Kept(boolean sameRequest, String sealed) {}

  /** True for the first. Waits for another that is at it, and then says what came of that. */
  static boolean begin(Tx tx, String scope, String key, byte[] hash, Instant now) {
    return tx.update(
                """
                insert into idempotency (scope, key, request_hash, made_at) values (:scope, :key, :hash, :now)
                on conflict (scope, key) do nothing
                """)
            .bind("scope", scope)
            .bind("key", key)
            .bind("hash", hash)
            .bind("now", now)
            .execute()
        == 1;
  }

  static void finish(Tx tx, String scope, String key, int status, String sealed) {
    tx.update(
            "update idempotency set status = :status, reply = :reply where scope = :scope and key ="
                + " :key")
        .bind("status", status)
        .bind("reply", sealed)
        .bind("scope", scope)
        .bind("key", key)
        .execute();
  }

  static Kept get(Tx tx, String scope, String key, byte[] hash) {
    return tx.query(
            "select request_hash = :hash as same, reply from idempotency"
                + " where scope = :scope and key = :key")
        .bind("hash", hash)
        .bind("scope", scope)
        .bind("key", key)
        .map(row ->
            new Kept(row.getColumn("same", Boolean.class), row.getColumn("reply", String.class)))
        .one();
  }

  static void deleteBefore(Tx tx, String scope, String key, Instant time) {
    tx.update("delete from idempotency where scope = :scope and key = :key and made_at < :time")
        .bind("scope", scope)
        .bind("key", key)
        .bind("time", time)
        .execute();
  }

  static void deleteAllBefore(Tx tx, Instant time) {
    tx.update("delete from idempotency where made_at < :time").bind("time", time).execute();
  }
}
