package gpuaas.access;

import gpuaas.access.SshKeys.Registered;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Registered keys in the database. */
final class SshKeyStore {

  private SshKeyStore() {}

  /** False when the project has this key already. */
  static boolean add(Tx tx, Registered key) {
    return tx.update(
                """
                insert into ssh_key (id, project_id, person_id, title, public_key, fingerprint, made_at)
                values (:id, :project, :person, :title, :publicKey, :fingerprint, :madeAt)
                on conflict (project_id, fingerprint) do nothing
                """)
            .bind("id", key.id())
            .bind("project", key.project())
            .bind("person", key.person())
            .bind("title", key.title())
            .bind("publicKey", key.key().line())
            .bind("fingerprint", key.key().fingerprint())
            .bind("madeAt", key.madeAt())
            .execute()
        == 1;
  }

  static int count(Tx tx, UUID project) {
    return tx.query("select count(*) from ssh_key where project_id = :project")
        .bind("project", project)
        .mapTo(Integer.class)
        .one();
  }

  static List<Registered> list(Tx tx, UUID project, int limit) {
    return tx.query(
            "select * from ssh_key where project_id = :project order by made_at desc, id desc limit"
                + " :limit")
        .bind("project", project)
        .bind("limit", limit)
        .map(SshKeyStore::read)
        .list();
  }

  static List<UUID> own(Tx tx, UUID project, UUID person, int limit) {
    return tx.query(
            "select id from ssh_key where project_id = :project and person_id = :person"
                + " order by made_at desc, id desc limit :limit")
        .bind("project", project)
        .bind("person", person)
        .bind("limit", limit)
        .mapTo(UUID.class)
        .list();
  }

  static Optional<Registered> find(Tx tx, UUID id) {
    return tx.query("select * from ssh_key where id = :id")
        .bind("id", id)
        .map(SshKeyStore::read)
        .findOne();
  }

  static void delete(Tx tx, UUID id) {
    tx.update("delete from ssh_key where id = :id").bind("id", id).execute();
  }

  static List<UUID> existing(Tx tx, UUID project, List<UUID> ids) {
    return tx.query("select id from ssh_key where project_id = :project and id = any(:ids)")
        .bind("project", project)
        .bindArray("ids", UUID.class, ids)
        .mapTo(UUID.class)
        .list();
  }

  static List<SshKey> keys(Tx tx, List<UUID> ids) {
    return tx.query(
            """
            select public_key from ssh_key
              join person on person.id = ssh_key.person_id and person.disabled_at is null
              join project on project.id = ssh_key.project_id
             where ssh_key.id = any(:ids)
               and (person.admin
                 or exists (select from project_member member
                             where member.project_id = project.id and member.person_id = person.id
                               and member.role <> 'viewer')
                 or exists (select from tenant_member boss
                             where boss.tenant_id = project.tenant_id and boss.person_id = person.id
                               and boss.role in ('admin', 'owner'))
                 or exists (select from service_account account
                             where account.id = person.id and account.project_id = project.id
                               and account.role <> 'viewer' and account.deleted_at is null))
             limit 1000
            """)
        .bindArray("ids", UUID.class, ids)
        .mapTo(String.class)
        .map(SshKey::parse)
        .list();
  }

  private static Registered read(RowView row) {
    return new Registered(
        row.getColumn("id", UUID.class),
        row.getColumn("project_id", UUID.class),
        row.getColumn("person_id", UUID.class),
        row.getColumn("title", String.class),
        SshKey.parse(row.getColumn("public_key", String.class)),
        row.getColumn("made_at", Instant.class));
  }
}
