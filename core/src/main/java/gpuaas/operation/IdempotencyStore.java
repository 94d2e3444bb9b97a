package gpuaas.operation;

import gpuaas.db.Claims;
import gpuaas.db.Insert;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/** Keys and answers in the database. */
final class IdempotencyStore {

  /**
   * A key with its answer.
   *
   * @param hash of the request, as PostgreSQL reads bytes
   */
  record Entry(String scope, String key, String hash, Instant madeAt, int status, String sealed) {}

  /** New keys with their answers. One that is there stays, however old. */
  static final Claims<Entry> KEPT =
      new Claims<>() {
        private final Insert<Entry> rows =
            Insert.<Entry>into("idempotency")
                .with("scope", "text", Entry::scope)
                .with("key", "text", Entry::key)
                .with("request_hash", "bytea", Entry::hash)
                .with("made_at", "timestamptz", Entry::madeAt)
                .with("status", "integer", Entry::status)
                .with("reply", "text", Entry::sealed)
                .then("on conflict (scope, key) do nothing returning scope || chr(10) || key");

        @Override
        public Object key(Entry entry) {
          return entry.scope() + "\n" + entry.key();
        }

        @Override
        public Set<Object> write(Tx tx, List<Entry> entries) {
          // In order, so that no two transactions wait for each other.
          List<Entry> inOrder =
              entries.stream()
                  .sorted(Comparator.comparing(entry -> key(entry).toString()))
                  .toList();
          return Set.copyOf(rows.writeReturning(tx, inOrder));
        }
      };

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
