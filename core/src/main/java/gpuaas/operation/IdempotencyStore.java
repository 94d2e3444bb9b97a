package gpuaas.operation;

import gpuaas.db.Json;
import gpuaas.db.Tx;
import gpuaas.operation.Idempotency.Answer;
import java.time.Instant;
import java.util.Map;

/** Keys and answers in the database. */
final class IdempotencyStore {

  private IdempotencyStore() {}

  /** A key that was used, and whether for the same request. */
  record Kept(boolean sameRequest, Answer answer) {}

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

  static void finish(Tx tx, String scope, String key, Answer answer) {
    tx.update(
            "update idempotency set status = :status, headers = :headers::jsonb, reply = :reply"
                + " where scope = :scope and key = :key")
        .bind("status", answer.status())
        .bind("headers", Json.write(answer.headers()))
        .bind("reply", answer.body())
        .bind("scope", scope)
        .bind("key", key)
        .execute();
  }

  static Kept get(Tx tx, String scope, String key, byte[] hash) {
    return tx.query(
            "select request_hash = :hash as same, status, headers, reply from idempotency"
                + " where scope = :scope and key = :key")
        .bind("hash", hash)
        .bind("scope", scope)
        .bind("key", key)
        .map(row ->
            new Kept(
                row.getColumn("same", Boolean.class),
                new Answer(
                    row.getColumn("status", Integer.class),
                    headers(row.getColumn("headers", String.class)),
                    row.getColumn("reply", String.class))))
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

  @SuppressWarnings("unchecked")
  private static Map<String, String> headers(String json) {
    return Json.read(json, Map.class);
  }
}
