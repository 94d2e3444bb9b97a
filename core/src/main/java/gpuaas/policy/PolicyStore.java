package gpuaas.policy;

import gpuaas.db.Tx;
import gpuaas.policy.PolicyValue.Author;
import gpuaas.policy.PolicyValue.Scope;
import gpuaas.policy.PolicyValue.Slot;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;
import org.jdbi.v3.core.statement.SqlStatement;

/** Values of policies. */
final class PolicyStore {

  private PolicyStore() {}

  /** What differs as soon as anything was set or removed. */
  record Stamp(long count, long newest) {}

  static Stamp stamp(Tx tx) {
    return tx.query(
            "select count(*) as count, coalesce(max(version), 0) as newest from policy_value")
        .map(row ->
            new Stamp(row.getColumn("count", Long.class), row.getColumn("newest", Long.class)))
        .one();
  }

  /** All of them; what older or newer servers know and we do not is left out. */
  static List<PolicyValue> all(Tx tx, int most) {
    return tx
        .query("select * from policy_value limit :most")
        .bind("most", most)
        .map(PolicyStore::read)
        .stream()
        .flatMap(Optional::stream)
        .toList();
  }

  /** The last that were set first. */
  static List<PolicyValue> list(Tx tx, Optional<Long> before, int limit) {
    return tx
        .query(
            """
            select * from policy_value where (:before::bigint is null or version < :before::bigint)
             order by version desc limit :limit
            """)
        .bind("before", before.orElse(null))
        .bind("limit", limit)
        .map(PolicyStore::read)
        .stream()
        .flatMap(Optional::stream)
        .toList();
  }

  /** Of those who change something, one waits for the other: a stamp tells them apart then. */
  static void lock(Tx tx) {
    tx.update("lock table policy_value in share row exclusive mode").execute();
  }

  static boolean isThere(Tx tx, Scope scope, UUID owner) {
    return switch (scope) {
      case GLOBAL -> true;
      case TENANT -> isThere(tx, "select exists(select from tenant where id = :owner)", owner);
      case PROJECT -> isThere(tx, "select exists(select from project where id = :owner)", owner);
    };
  }

  private static boolean isThere(Tx tx, String sql, UUID owner) {
    return tx.query(sql).bind("owner", owner).mapTo(Boolean.class).one();
  }

  static PolicyValue put(Tx tx, Slot slot, long value, UUID setBy, Instant now) {
    return bound(
            tx.query(
                """
                insert into policy_value (policy, scope, owner_id, author, value, set_by, set_at)
                values (:policy, :scope, :owner, :author, :value, :setBy, :now)
                on conflict (policy, scope, owner_id, author) do update
                  set value = excluded.value, set_by = excluded.set_by, set_at = excluded.set_at,
                      version = nextval('policy_version')
                returning *
                """),
            slot)
        .bind("value", value)
        .bind("setBy", setBy)
        .bind("now", now)
        .map(PolicyStore::read)
        .one()
        .orElseThrow();
  }

  static boolean remove(Tx tx, Slot slot) {
    return bound(
                tx.update(
                    """
                    delete from policy_value
                     where policy = :policy and scope = :scope and owner_id = :owner and author = :author
                    """),
                slot)
            .execute()
        > 0;
  }

  private static <S extends SqlStatement<S>> S bound(S statement, Slot slot) {
    return statement
        .bind("policy", slot.definition().key())
        .bind("scope", slot.scope().text())
        .bind("owner", slot.owner())
        .bind("author", slot.author().text());
  }

  private static Optional<PolicyValue> read(RowView row) {
    return PolicyDefinition.of(row.getColumn("policy", String.class))
        .map(definition ->
            new PolicyValue(
                new Slot(
                    definition,
                    Scope.valueOf(word(row, "scope")),
                    row.getColumn("owner_id", UUID.class),
                    Author.valueOf(word(row, "author"))),
                row.getColumn("value", Long.class),
                row.getColumn("set_by", UUID.class),
                row.getColumn("set_at", Instant.class),
                row.getColumn("version", Long.class)));
  }

  private static String word(RowView row, String column) {
    return row.getColumn(column, String.class).toUpperCase(Locale.ROOT);
  }
}
