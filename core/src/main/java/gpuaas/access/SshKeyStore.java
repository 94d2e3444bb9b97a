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

  /** Whoever registered it is in the project, and may do more than look. */
  private static final String IS_IN =
      """
      (exists (select from project_member member
                where member.project_id = project.id and member.person_id = person.id
                  and member.role <> 'viewer')
        or exists (select from tenant_member boss
                    where boss.tenant_id = project.tenant_id and boss.person_id = person.id
                      and boss.role in ('admin', 'owner'))
        or exists (select from service_account account
                    where account.id = person.id and account.project_id = project.id
                      and account.role <> 'viewer' and account.deleted_at is null))
      """;

  /**
   * Of the keys in {@code :ids}, those that open machines of {@code :project}: they are its own or
   * a person's, and whoever registered them may enter machines there.
   */
  private static final String OPENING =
      """
        from ssh_key
        join person on person.id = ssh_key.person_id and person.disabled_at is null
        join project on project.id = :project
       where ssh_key.id = any(:ids)
         and (ssh_key.project_id is null or ssh_key.project_id = project.id)
      """
          + " and (person.admin or "
          + IS_IN
          + ")";

  private SshKeyStore() {}

  /** False when its project, or its person, has this key already. */
  static boolean add(Tx tx, Registered key) {
    return tx.update(
                """
                insert into ssh_key (id, project_id, person_id, title, public_key, fingerprint, made_at)
                values (:id, :project::uuid, :person, :title, :publicKey, :fingerprint, :madeAt)
                on conflict do nothing
                """)
            .bind("id", key.id())
            .bind("project", key.project().orElse(null))
            .bind("person", key.person())
            .bind("title", key.title())
            .bind("publicKey", key.key().line())
            .bind("fingerprint", key.key().fingerprint())
            .bind("madeAt", key.madeAt())
            .execute()
        == 1;
  }

  /** True when somebody has this key already for what they do in a project. */
  static boolean has(Tx tx, UUID project, UUID person, String fingerprint) {
    return tx.query(
            """
            select exists (select from ssh_key
                            where fingerprint = :fingerprint and person_id = :person
                              and (project_id is null or project_id = :project))
            """)
        .bind("fingerprint", fingerprint)
        .bind("person", person)
        .bind("project", project)
        .mapTo(Boolean.class)
        .one();
  }

  static int countOfProject(Tx tx, UUID project) {
    return tx.query("select count(*) from ssh_key where project_id = :project")
        .bind("project", project)
        .mapTo(Integer.class)
        .one();
  }

  static int countOfPerson(Tx tx, UUID person) {
    return tx.query("select count(*) from ssh_key where person_id = :person and project_id is null")
        .bind("person", person)
        .mapTo(Integer.class)
        .one();
  }

  /** Those of a project, and those of a person. */
  static List<Registered> list(Tx tx, UUID project, UUID person, int limit) {
    return tx.query(
            """
            select * from ssh_key
             where project_id = :project or (project_id is null and person_id = :person)
             order by made_at desc, id desc limit :limit
            """)
        .bind("project", project)
        .bind("person", person)
        .bind("limit", limit)
        .map(SshKeyStore::read)
        .list();
  }

  /** Those that a person registered, for a project or for wherever they are. */
  static List<UUID> own(Tx tx, UUID project, UUID person, int limit) {
    return tx.query(
            """
            select id from ssh_key
             where person_id = :person and (project_id is null or project_id = :project)
             order by made_at desc, id desc limit :limit
            """)
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

  /**
   * Those that somebody may name in a project: its own, theirs, and those of people who are in it.
   * Who runs the platform is in no project by that.
   */
  static List<UUID> nameable(Tx tx, UUID project, UUID person, List<UUID> ids) {
    return tx.query(
            "select ssh_key.id "
                + OPENING
                + " and (ssh_key.project_id is not null or person.id = :person or "
                + IS_IN
                + ") limit 1000")
        .bind("project", project)
        .bind("person", person)
        .bindArray("ids", UUID.class, ids)
        .mapTo(UUID.class)
        .list();
  }

  static List<SshKey> keys(Tx tx, UUID project, List<UUID> ids) {
    return tx.query("select public_key " + OPENING + " limit 1000")
        .bind("project", project)
        .bindArray("ids", UUID.class, ids)
        .mapTo(String.class)
        .map(SshKey::parse)
        .list();
  }

  private static Registered read(RowView row) {
    return new Registered(
        row.getColumn("id", UUID.class),
        Optional.ofNullable(row.getColumn("project_id", UUID.class)),
        row.getColumn("person_id", UUID.class),
        row.getColumn("title", String.class),
        SshKey.parse(row.getColumn("public_key", String.class)),
        row.getColumn("made_at", Instant.class));
  }
}
