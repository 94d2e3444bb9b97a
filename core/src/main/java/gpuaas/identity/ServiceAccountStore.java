package gpuaas.identity;

import gpuaas.base.Role;
import gpuaas.db.Tx;
import gpuaas.identity.ServiceAccount.AccountKey;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Service accounts and their keys in the database. */
final class ServiceAccountStore {

  /** The issuer of the rows of person behind them; nobody logs in by that. */
  static final String ISSUER = "service-account";

  private ServiceAccountStore() {}

  static void add(Tx tx, ServiceAccount account) {
    tx.update(
            """
            insert into person (id, issuer, username, admin, default_project_id, made_at)
            values (:id, :issuer, :accountId, false, :project, :madeAt)
            """)
        .bind("id", account.id())
        .bind("issuer", ISSUER)
        .bind("accountId", account.accountId())
        .bind("project", account.project())
        .bind("madeAt", account.madeAt())
        .execute();
    tx.update(
            """
            insert into service_account (id, account_id, tenant_id, project_id, name, slug, role, scopes, made_by, made_at)
            values (:id, :accountId, :tenant, :project, :name, :slug, :role, :scopes, :madeBy, :madeAt)
            """)
        .bind("id", account.id())
        .bind("accountId", account.accountId())
        .bind("tenant", account.tenant())
        .bind("project", account.project())
        .bind("name", account.name())
        .bind("slug", account.slug())
        .bind("role", account.role().text())
        .bindArray("scopes", String.class, account.scopes().words())
        .bind("madeBy", account.madeBy())
        .bind("madeAt", account.madeAt())
        .execute();
  }

  static boolean hasSlug(Tx tx, UUID project, String slug) {
    return tx.query(
            "select exists (select from service_account where project_id = :project and slug ="
                + " :slug and deleted_at is null)")
        .bind("project", project)
        .bind("slug", slug)
        .mapTo(Boolean.class)
        .one();
  }

  /** True when an account has or had this id. */
  static boolean hasId(Tx tx, String accountId) {
    return tx.query("select exists (select from service_account where account_id = :accountId)")
        .bind("accountId", accountId)
        .mapTo(Boolean.class)
        .one();
  }

  static int count(Tx tx, UUID project) {
    return tx.query(
            "select count(*) from service_account where project_id = :project and deleted_at is"
                + " null")
        .bind("project", project)
        .mapTo(Integer.class)
        .one();
  }

  static Optional<ServiceAccount> find(Tx tx, String accountId) {
    return tx.query(
            "select * from service_account where account_id = :accountId and deleted_at is null")
        .bind("accountId", accountId)
        .map(ServiceAccountStore::account)
        .findOne();
  }

  static Optional<ServiceAccount> find(Tx tx, UUID id) {
    return tx.query("select * from service_account where id = :id and deleted_at is null")
        .bind("id", id)
        .map(ServiceAccountStore::account)
        .findOne();
  }

  /** By the id of the account, as a caller has it, if the key is good. */
  static Optional<ServiceAccount> find(Tx tx, UUID id, String keyId, Instant now) {
    return tx.query(
            """
            select service_account.* from service_account join service_account_key key on key.account = service_account.id
             where service_account.id = :id and key.key_id = :keyId and service_account.deleted_at is null
               and key.revoked_at is null and (key.expires_at is null or key.expires_at > :now)
            """)
        .bind("id", id)
        .bind("keyId", keyId)
        .bind("now", now)
        .map(ServiceAccountStore::account)
        .findOne();
  }

  static List<ServiceAccount> list(
      Tx tx, UUID project, Optional<ServiceAccount> before, int limit) {
    return tx.query(
            """
            select * from service_account
             where project_id = :project and deleted_at is null
               and (:madeAt::timestamptz is null or (made_at, id) < (:madeAt, :id::uuid))
             order by made_at desc, id desc limit :limit
            """)
        .bind("project", project)
        .bind("madeAt", before.map(ServiceAccount::madeAt).orElse(null))
        .bind("id", before.map(ServiceAccount::id).orElse(null))
        .bind("limit", limit)
        .map(ServiceAccountStore::account)
        .list();
  }

  static void delete(Tx tx, UUID id, Instant now) {
    tx.update("update service_account set deleted_at = coalesce(deleted_at, :now) where id = :id")
        .bind("now", now)
        .bind("id", id)
        .execute();
    tx.update("update person set disabled_at = coalesce(disabled_at, :now) where id = :id")
        .bind("now", now)
        .bind("id", id)
        .execute();
  }

  static void addKey(Tx tx, AccountKey key) {
    tx.update(
            """
            insert into service_account_key (key_id, account, algorithm, public_key, secret_hash, made_at, expires_at)
            values (:keyId, :account, :algorithm, :publicKey, :secretHash, :madeAt, :expiresAt)
            """)
        .bind("keyId", key.keyId())
        .bind("account", key.account())
        .bind("algorithm", key.algorithm().map(SigningAlgorithm::name).orElse("SECRET"))
        .bind("publicKey", key.publicKey().orElse(null))
        .bind("secretHash", key.secretHash().orElse(null))
        .bind("madeAt", key.madeAt())
        .bind("expiresAt", key.expiresAt().orElse(null))
        .execute();
  }

  /** The keys of an account, newest first. */
  static List<AccountKey> keys(Tx tx, UUID account, int limit) {
    return tx.query(
            "select * from service_account_key where account = :account order by made_at desc,"
                + " key_id limit :limit")
        .bind("account", account)
        .bind("limit", limit)
        .map(ServiceAccountStore::readKey)
        .list();
  }

  static Optional<AccountKey> key(Tx tx, UUID account, String keyId) {
    return tx.query(
            "select * from service_account_key where key_id = :keyId and account = :account")
        .bind("keyId", keyId)
        .bind("account", account)
        .map(ServiceAccountStore::readKey)
        .findOne();
  }

  static void revokeKey(Tx tx, UUID account, String keyId, Instant now) {
    tx.update(
            "update service_account_key set revoked_at = coalesce(revoked_at, :now) where account ="
                + " :account and key_id = :keyId")
        .bind("account", account)
        .bind("now", now)
        .bind("keyId", keyId)
        .execute();
  }

  /** The keys of an account end then, unless they end sooner; but not this one. */
  static void expireOthers(Tx tx, UUID account, String keyId, Instant then) {
    tx.update(
            "update service_account_key set expires_at = least(expires_at, :then) where account ="
                + " :account and key_id <> :keyId and revoked_at is null")
        .bind("then", then)
        .bind("account", account)
        .bind("keyId", keyId)
        .execute();
  }

  static void used(Tx tx, UUID account, String keyId, Instant now) {
    tx.update(
            "update service_account_key set last_used_at = greatest(last_used_at, :now) where"
                + " account = :account and key_id = :keyId")
        .bind("account", account)
        .bind("now", now)
        .bind("keyId", keyId)
        .execute();
  }

  /** Remembers that an assertion was used; false: it was before. */
  static boolean use(Tx tx, UUID account, String jti, Instant expiresAt, Instant now) {
    tx.update("delete from used_assertion where expires_at <= :now").bind("now", now).execute();
    return tx.update(
                "insert into used_assertion (account, jti, expires_at) values (:account, :jti,"
                    + " :expiresAt) on conflict do nothing")
            .bind("account", account)
            .bind("jti", jti)
            .bind("expiresAt", expiresAt)
            .execute()
        > 0;
  }

  private static ServiceAccount account(RowView row) {
    return new ServiceAccount(
        row.getColumn("id", UUID.class),
        row.getColumn("account_id", String.class),
        row.getColumn("tenant_id", UUID.class),
        row.getColumn("project_id", UUID.class),
        row.getColumn("name", String.class),
        row.getColumn("slug", String.class),
        Role.of(row.getColumn("role", String.class)).orElseThrow(),
        new Scopes(List.of(row.getColumn("scopes", String[].class))),
        row.getColumn("made_by", UUID.class),
        row.getColumn("made_at", Instant.class),
        Optional.ofNullable(row.getColumn("deleted_at", Instant.class)));
  }

  private static AccountKey readKey(RowView row) {
    String algorithm = row.getColumn("algorithm", String.class);
    return new AccountKey(
        row.getColumn("key_id", String.class),
        row.getColumn("account", UUID.class),
        algorithm.equals("SECRET")
            ? Optional.empty()
            : Optional.of(SigningAlgorithm.valueOf(algorithm)),
        Optional.ofNullable(row.getColumn("public_key", byte[].class)),
        Optional.ofNullable(row.getColumn("secret_hash", byte[].class)),
        row.getColumn("made_at", Instant.class),
        Optional.ofNullable(row.getColumn("expires_at", Instant.class)),
        Optional.ofNullable(row.getColumn("revoked_at", Instant.class)),
        Optional.ofNullable(row.getColumn("last_used_at", Instant.class)));
  }
}
