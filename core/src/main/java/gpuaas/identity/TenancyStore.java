package gpuaas.identity;

import gpuaas.base.Role;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Projects, and who is what in them and in tenants. */
final class TenancyStore {

  /** Who runs a tenant runs its projects. */
  private static final String SEEN =
      """
      from project
      left join project_member own on own.project_id = project.id and own.person_id = :person
      left join tenant_member boss on boss.tenant_id = project.tenant_id and boss.person_id = :person
                                  and boss.role in ('admin', 'owner')
      """;

  private TenancyStore() {}

  static void add(Tx tx, Project project) {
    tx.update(
            "insert into project (id, tenant_id, slug, name, made_at) values (:id, :tenant, :slug,"
                + " :name, :madeAt)")
        .bind("id", project.id())
        .bind("tenant", project.tenant())
        .bind("slug", project.slug())
        .bind("name", project.name())
        .bind("madeAt", project.madeAt())
        .execute();
  }

  static void rename(Tx tx, UUID project, String name) {
    tx.update("update project set name = :name where id = :id")
        .bind("name", name)
        .bind("id", project)
        .execute();
  }

  static int countProjects(Tx tx, UUID tenant) {
    return count(tx, "select count(*) from project where tenant_id = :id", tenant);
  }

  static boolean hasSlug(Tx tx, UUID tenant, String slug) {
    return tx.query(
            "select exists (select from project where tenant_id = :tenant and slug = :slug)")
        .bind("tenant", tenant)
        .bind("slug", slug)
        .mapTo(Boolean.class)
        .one();
  }

  /** A project as somebody sees it; whether they may is not asked. */
  static Optional<Project> find(Tx tx, UUID project, UUID person) {
    return tx.query(
            "select project.*, own.role, boss.role as boss_role " + SEEN + "where project.id = :id")
        .bind("person", person)
        .bind("id", project)
        .map(TenancyStore::project)
        .findOne();
  }

  /**
   * The projects that somebody is in, newest first; {@code before} is where the last page ended.
   */
  static List<Project> list(Tx tx, UUID person, Optional<Project> before, int limit) {
    return tx.query(
            "select project.*, own.role, boss.role as boss_role "
                + SEEN
                + """
                where (own.role is not null or boss.role is not null)
                  and (:madeAt::timestamptz is null or (project.made_at, project.id) < (:madeAt, :id::uuid))
                order by project.made_at desc, project.id desc limit :limit
                """)
        .bind("person", person)
        .bind("madeAt", before.map(Project::madeAt).orElse(null))
        .bind("id", before.map(Project::id).orElse(null))
        .bind("limit", limit)
        .map(TenancyStore::project)
        .list();
  }

  private static Project project(RowView row) {
    return new Project(
        row.getColumn("id", UUID.class),
        row.getColumn("tenant_id", UUID.class),
        row.getColumn("slug", String.class),
        row.getColumn("name", String.class),
        row.getColumn("made_at", Instant.class),
        new gpuaas.base.Standing(
                false,
                IdentityStore.role(row, "boss_role"),
                IdentityStore.role(row, "role"),
                Optional.empty())
            .effective());
  }

  static void setDefault(Tx tx, UUID person, UUID project) {
    tx.update("update person set default_project_id = :project where id = :person")
        .bind("project", project)
        .bind("person", person)
        .execute();
  }

  static void setRole(Tx tx, Of of, UUID id, UUID person, Role role, Instant now) {
    tx.update(
            "insert into "
                + of.members
                + " ("
                + of.key
                + ", person_id, role, made_at) values (:id, :person, :role, :now) on conflict ("
                + of.key
                + ", person_id) do update set "
                + of.given)
        .bind("id", id)
        .bind("person", person)
        .bind("role", role.text())
        .bind("now", now)
        .execute();
  }

  /**
   * Holds the members of a tenant or project until the end: nobody becomes or stays the last owner
   * by chance.
   */
  static void lockMembers(Tx tx, Of of, UUID id) {
    tx.query("select 1 from " + of.table + " where id = :id for update")
        .bind("id", id)
        .mapTo(Integer.class)
        .list();
  }

  static Optional<Role> role(Tx tx, Of of, UUID id, UUID person) {
    return tx.query(
            "select role from "
                + of.members
                + " where "
                + of.key
                + " = :id and person_id = :person")
        .bind("id", id)
        .bind("person", person)
        .mapTo(String.class)
        .findOne()
        .flatMap(Role::of);
  }

  static int countOwners(Tx tx, Of of, UUID id) {
    return count(
        tx,
        "select count(*) from " + of.members + " where " + of.key + " = :id and role = 'owner'",
        id);
  }

  static int countMembers(Tx tx, Of of, UUID id) {
    return count(tx, "select count(*) from " + of.members + " where " + of.key + " = :id", id);
  }

  private static int count(Tx tx, String sql, UUID id) {
    return tx.query(sql).bind("id", id).mapTo(Integer.class).one();
  }

  static Optional<Member> member(Tx tx, Of of, UUID id, UUID person) {
    return members(tx, of, "member.person_id = :person", id, person, 1).stream().findFirst();
  }

  /** Members by id; {@code after} is where the last page ended. */
  static List<Member> members(Tx tx, Of of, UUID id, Optional<UUID> after, int limit) {
    return members(tx, of, "member.person_id > :person", id, after.orElse(new UUID(0, 0)), limit);
  }

  private static List<Member> members(Tx tx, Of of, String which, UUID id, UUID person, int limit) {
    return tx.query(
            "select member.*, person.username, person.email from "
                + of.members
                + " member join person on person.id = member.person_id where member."
                + of.key
                + " = :id and "
                + which
                + " order by member.person_id limit :limit")
        .bind("id", id)
        .bind("person", person)
        .bind("limit", limit)
        .map(row ->
            new Member(
                row.getColumn("person_id", UUID.class),
                row.getColumn("username", String.class),
                Optional.ofNullable(row.getColumn("email", String.class)).orElse(""),
                Role.of(row.getColumn("role", String.class)).orElseThrow(),
                row.getColumn("made_at", Instant.class)))
        .list();
  }

  static void remove(Tx tx, Of of, UUID id, UUID person) {
    tx.update("delete from " + of.members + " where " + of.key + " = :id and person_id = :person")
        .bind("id", id)
        .bind("person", person)
        .execute();
  }

  /** Whoever acted by default in a project that they are out of acts in another one of theirs. */
  static void leaveDefault(Tx tx, UUID project, UUID person) {
    tx.update(
            """
            update person set default_project_id = coalesce(
                (select project_id from project_member where person_id = :person order by made_at, project_id limit 1),
                default_project_id)
             where id = :person and default_project_id = :project
            """)
        .bind("person", person)
        .bind("project", project)
        .execute();
  }

  /** The projects of a tenant in which somebody is a member, or has anything that opens. */
  static List<UUID> projectsOf(Tx tx, UUID tenant, UUID person) {
    return tx.query(
            """
            select id from project
             where tenant_id = :tenant
               and (exists (select from project_member where project_id = project.id and person_id = :person)
                 or exists (select from api_key where project_id = project.id and person_id = :person and revoked_at is null)
                 or exists (select from ssh_key where project_id = project.id and person_id = :person))
             order by id
            """)
        .bind("person", person)
        .bind("tenant", tenant)
        .mapTo(UUID.class)
        .list();
  }

  /** Takes from somebody what opens anything in a project: API keys and SSH keys. */
  static void takeKeys(Tx tx, UUID project, UUID person, Instant now) {
    tx.update(
            "update api_key set revoked_at = :now where project_id = :project and person_id ="
                + " :person and revoked_at is null")
        .bind("now", now)
        .bind("project", project)
        .bind("person", person)
        .execute();
    tx.update("delete from ssh_key where project_id = :project and person_id = :person")
        .bind("project", project)
        .bind("person", person)
        .execute();
  }

  /** What has members. */
  enum Of {
    /** A role that somebody gave is not one that follows from a group any more. */
    TENANT("tenant", "tenant_member", "tenant_id", "role = excluded.role, by_group = false"),
    PROJECT("project", "project_member", "project_id", "role = excluded.role");

    private final String table;
    private final String members;
    private final String key;
    private final String given;

    Of(String table, String members, String key, String given) {
      this.table = table;
      this.members = members;
      this.key = key;
      this.given = given;
    }
  }
}
