package gpuaas.identity;

import gpuaas.base.Standing;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** API keys in the database. */
final class ApiKeyStore {

  private ApiKeyStore() {}

  /** A key and whose it is, as they stand in its project. */
  record Owned(ApiKey key, Person person) {}

  static void add(Tx tx, ApiKey key, byte[] hash) {
    tx.update(
            """
            insert into api_key (id, tenant_id, project_id, person_id, name, prefix, hash, scopes, made_at, expires_at)
            values (:id, :tenant, :project, :person, :name, :prefix, :hash, :scopes, :madeAt, :expiresAt)
            """)
        .bind("id", key.id())
        .bind("tenant", key.tenant())
        .bind("project", key.project())
        .bind("person", key.person())
        .bind("name", key.name())
        .bind("prefix", key.prefix())
        .bind("hash", hash)
        .bindArray("scopes", String.class, key.scopes().words())
        .bind("madeAt", key.madeAt())
        .bind("expiresAt", key.expiresAt().orElse(null))
        .execute();
  }

  /** The key with this hash, whatever its state. */
  static Optional<Owned> findByHash(Tx tx, byte[] hash) {
    return tx.query(
            """
            select api_key.*, person.username, person.email, person.admin, person.disabled_at,
                   tenant_member.role as tenant_role, project_member.role as project_role
              from api_key
              join person on person.id = api_key.person_id
              left join tenant_member
                on tenant_member.tenant_id = api_key.tenant_id and tenant_member.person_id = api_key.person_id
              left join project_member
                on project_member.project_id = api_key.project_id and project_member.person_id = api_key.person_id
             where api_key.hash = :hash
            """)
        .bind("hash", hash)
        .map(row -> new Owned(read(row), person(row)))
        .findOne();
  }

  static Optional<ApiKey> find(Tx tx, UUID id) {
    return tx.query("select * from api_key where id = :id")
        .bind("id", id)
        .map(ApiKeyStore::read)
        .findOne();
  }

  /** Keys of a project, newest first; {@code before} is where the last page ended. */
  static List<ApiKey> list(Tx tx, UUID project, Optional<ApiKey> before, int limit) {
    return tx.query(
            """
            select * from api_key
             where project_id = :project
               and (:beforeMadeAt::timestamptz is null or (made_at, id) < (:beforeMadeAt, :beforeId::uuid))
             order by made_at desc, id desc limit :limit
            """)
        .bind("project", project)
        .bind("beforeMadeAt", before.map(ApiKey::madeAt).orElse(null))
        .bind("beforeId", before.map(ApiKey::id).orElse(null))
        .bind("limit", limit)
        .map(ApiKeyStore::read)
        .list();
  }

  static int countValid(Tx tx, UUID project, Instant now) {
    return tx.query(
            "select count(*) from api_key where project_id = :project and revoked_at is null"
                + " and (expires_at is null or expires_at > :now)")
        .bind("project", project)
        .bind("now", now)
        .mapTo(Integer.class)
        .one();
  }

  static void revoke(Tx tx, UUID id, Instant now) {
    tx.update("update api_key set revoked_at = coalesce(revoked_at, :now) where id = :id")
        .bind("id", id)
        .bind("now", now)
        .execute();
  }

  /** It ends then, unless it ends sooner anyway. */
  static void expire(Tx tx, UUID id, Instant then) {
    tx.update("update api_key set expires_at = least(expires_at, :then) where id = :id")
        .bind("id", id)
        .bind("then", then)
        .execute();
  }

  static void used(Tx tx, UUID id, Instant now) {
    tx.update("update api_key set last_used_at = greatest(last_used_at, :now) where id = :id")
        .bind("id", id)
        .bind("now", now)
        .execute();
  }

  private static ApiKey read(RowView row) {
    return new ApiKey(
        row.getColumn("id", UUID.class),
        row.getColumn("tenant_id", UUID.class),
        row.getColumn("project_id", UUID.class),
        row.getColumn("person_id", UUID.class),
        row.getColumn("name", String.class),
        row.getColumn("prefix", String.class),
        new Scopes(List.of(row.getColumn("scopes", String[].class))),
        row.getColumn("made_at", Instant.class),
        Optional.ofNullable(row.getColumn("expires_at", Instant.class)),
        Optional.ofNullable(row.getColumn("last_used_at", Instant.class)),
        Optional.ofNullable(row.getColumn("revoked_at", Instant.class)));
  }

  private static Person person(RowView row) {
    return new Person(
        row.getColumn("person_id", UUID.class),
        row.getColumn("username", String.class),
        Optional.ofNullable(row.getColumn("email", String.class)).orElse(""),
        row.getColumn("admin", Boolean.class),
        row.getColumn("tenant_id", UUID.class),
        row.getColumn("project_id", UUID.class),
        row.getColumn("disabled_at", Instant.class) != null,
        new Standing(
            row.getColumn("admin", Boolean.class),
            IdentityStore.role(row, "tenant_role"),
            IdentityStore.role(row, "project_role"),
            Optional.empty()));
  }
}
