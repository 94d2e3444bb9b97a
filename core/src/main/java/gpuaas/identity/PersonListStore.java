package gpuaas.identity;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** People as those who run the platform see them; service accounts are none. */
public final class PersonListStore {

  private static final String SELECT =
      """
      select person.*, project.tenant_id
        from person join project on project.id = person.default_project_id
       where person.issuer <> :programs and person.deleted_at is null
      """;

  private PersonListStore() {}

  /**
   * Somebody.
   *
   * @param issuer who vouches for them; empty: they have a password here
   * @param tenant of their default project
   */
  public record Listed(
      UUID id,
      String username,
      String email,
      String issuer,
      boolean admin,
      UUID tenant,
      UUID defaultProject,
      Instant madeAt,
      Optional<Instant> disabledAt) {}

  /** Newest first; {@code before} is where the last page ended. */
  public static List<Listed> list(
      Tx tx, Optional<String> username, Optional<Listed> before, int limit) {
    return tx.query(
            SELECT
                + """
                 and (:username::text is null or person.username = :username)
                 and (:at::timestamptz is null or (person.made_at, person.id) < (:at, :id::uuid))
                 order by person.made_at desc, person.id desc limit :limit
                """)
        .bind("programs", ServiceAccountStore.ISSUER)
        .bind("username", username.orElse(null))
        .bind("at", before.map(Listed::madeAt).orElse(null))
        .bind("id", before.map(Listed::id).orElse(null))
        .bind("limit", limit)
        .map(PersonListStore::listed)
        .list();
  }

  /** Somebody by themselves. */
  public static Optional<Listed> find(Tx tx, UUID id) {
    return tx.query(SELECT + " and person.id = :id")
        .bind("programs", ServiceAccountStore.ISSUER)
        .bind("id", id)
        .map(PersonListStore::listed)
        .findOne();
  }

  /** Lets somebody in again, or nowhere any more; true: that is new. */
  public static boolean enable(Tx tx, UUID id, boolean enabled, Instant now) {
    return tx.update(
                "update person set disabled_at = case when :enabled then null else"
                    + " :now::timestamptz end where id = :id and (disabled_at is null) <> :enabled")
            .bind("enabled", enabled)
            .bind("now", now)
            .bind("id", id)
            .execute()
        > 0;
  }

  /** Forgets who somebody was, and all that they could come in with. Their name is free. */
  public static void forget(Tx tx, UUID id, Instant now) {
    for (String sql :
        List.of(
            "delete from tenant_member where person_id = :id",
            "delete from project_member where person_id = :id",
            "delete from ssh_key where person_id = :id",
            "update api_key set revoked_at = coalesce(revoked_at, :now) where person_id = :id",
            "update person set username = 'deleted-' || id, issuer = '', subject = null, email ="
                + " null, password_hash = null, admin = false, deleted_at = :now, disabled_at ="
                + " coalesce(disabled_at, :now) where id = :id")) {
      var update = tx.update(sql).bind("id", id);
      (sql.contains(":now") ? update.bind("now", now) : update).execute();
    }
  }

  private static Listed listed(RowView row) {
    return new Listed(
        row.getColumn("id", UUID.class),
        row.getColumn("username", String.class),
        Optional.ofNullable(row.getColumn("email", String.class)).orElse(""),
        row.getColumn("issuer", String.class),
        row.getColumn("admin", Boolean.class),
        row.getColumn("tenant_id", UUID.class),
        row.getColumn("default_project_id", UUID.class),
        row.getColumn("made_at", Instant.class),
        Optional.ofNullable(row.getColumn("disabled_at", Instant.class)));
  }
}
