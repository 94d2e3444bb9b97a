package gpuaas.identity;

import gpuaas.base.Ids;
import gpuaas.base.Role;
import gpuaas.base.Standing;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** People, tenants and projects in the database. */
final class IdentityStore {

  private static final String STANDING =
      """
       left join tenant_member on tenant_member.tenant_id = project.tenant_id and tenant_member.person_id = person.id
       left join project_member on project_member.project_id = project.id and project_member.person_id = person.id
      """;

  private static final String SELECT =
      "select person.*, project.tenant_id, project.id as acts_in, tenant_member.role as"
          + " tenant_role, project_member.role as project_role from person join project on"
          + " project.id = person.default_project_id"
          + STANDING;

  private static final int TENANT_NAME_LENGTH_MOST = 200;

  private IdentityStore() {}

  /** A person and what their password is checked against. */
  record Login(Person person, String passwordHash) {}

  static Optional<Person> find(Tx tx, UUID id) {
    return tx.query(SELECT + "where person.id = :id")
        .bind("id", id)
        .map(IdentityStore::person)
        .findOne();
  }

  /** Somebody as they stand in a project, which need not be one of theirs. */
  static Optional<Person> find(Tx tx, UUID id, UUID project) {
    return tx.query(
            "select person.*, project.tenant_id, project.id as acts_in, tenant_member.role as"
                + " tenant_role, project_member.role as project_role from person join project on"
                + " project.id = :project"
                + STANDING
                + "where person.id = :id")
        .bind("id", id)
        .bind("project", project)
        .map(IdentityStore::person)
        .findOne();
  }

  /** Somebody who can log in here with a password. */
  static Optional<Login> findByName(Tx tx, String username) {
    return tx.query(
            SELECT + "where person.username = :username and person.password_hash is not null")
        .bind("username", username)
        .map(row -> new Login(person(row), row.getColumn("password_hash", String.class)))
        .findOne();
  }

  /** Somebody of this name whom somebody else vouches for. */
  static boolean isKnownElsewhere(Tx tx, String username) {
    return tx.query(
            "select exists (select 1 from person where username = :username and issuer <> '' and"
                + " password_hash is null)")
        .bind("username", username)
        .mapTo(Boolean.class)
        .one();
  }

  static Optional<Person> findByIssuer(Tx tx, String issuer, String username) {
    return tx.query(SELECT + "where person.issuer = :issuer and person.username = :username")
        .bind("issuer", issuer)
        .bind("username", username)
        .map(IdentityStore::person)
        .findOne();
  }

  static Optional<Person> findBySubject(Tx tx, String issuer, String subject) {
    return tx.query(SELECT + "where person.issuer = :issuer and person.subject = :subject")
        .bind("issuer", issuer)
        .bind("subject", subject)
        .map(IdentityStore::person)
        .findOne();
  }

  /** Somebody new by a subject. A name that is taken there gets a number. */
  static void addSubject(Tx tx, Ids ids, String issuer, String subject, String name, Instant now) {
    String free = name;
    for (int i = 2; findByIssuer(tx, issuer, free).isPresent(); i++) {
      free = name + "-" + i;
    }
    var _ = add(tx, ids, issuer, free, Optional.empty(), false, now);
    tx.update(
            "update person set subject = :subject where issuer = :issuer and username = :username")
        .bind("subject", subject)
        .bind("issuer", issuer)
        .bind("username", free)
        .execute();
  }

  static long number(Tx tx, UUID person) {
    return tx.query("select number from person where id = :id")
        .bind("id", person)
        .mapTo(Long.class)
        .one();
  }

  static UUID add(
      Tx tx, Ids ids, String username, String passwordHash, boolean admin, Instant now) {
    return add(tx, ids, "", username, Optional.of(passwordHash), admin, now);
  }

  /** Somebody new, with a tenant and a project of their own. */
  static UUID add(
      Tx tx,
      Ids ids,
      String issuer,
      String username,
      Optional<String> passwordHash,
      boolean admin,
      Instant now) {
    UUID tenant = ids.next();
    UUID project = ids.next();
    tx.update("insert into tenant (id, name, made_at) values (:id, :name, :now)")
        .bind("id", tenant)
        .bind("name", username.substring(0, Math.min(TENANT_NAME_LENGTH_MOST, username.length())))
        .bind("now", now)
        .execute();
    tx.update(
            "insert into project (id, tenant_id, slug, name, made_at) values (:id, :tenant,"
                + " 'default', 'Default', :now)")
        .bind("id", project)
        .bind("tenant", tenant)
        .bind("now", now)
        .execute();
    UUID person = ids.next();
    tx.update(
            """
            insert into person (id, issuer, username, password_hash, admin, default_project_id, made_at)
            values (:id, :issuer, :username, :passwordHash, :admin, :project, :now)
            """)
        .bind("id", person)
        .bind("issuer", issuer)
        .bind("username", username)
        .bind("passwordHash", passwordHash.orElse(null))
        .bind("admin", admin)
        .bind("project", project)
        .bind("now", now)
        .execute();
    TenancyStore.setRole(tx, TenancyStore.Of.TENANT, tenant, person, Role.OWNER, now);
    TenancyStore.setRole(tx, TenancyStore.Of.PROJECT, project, person, Role.OWNER, now);
    return person;
  }

  static void enable(Tx tx, String username, boolean enabled, Instant now) {
    tx.update(
            "update person set disabled_at = case when :enabled then null else"
                + " coalesce(disabled_at, :now) end where username = :username and issuer = ''")
        .bind("enabled", enabled)
        .bind("now", now)
        .bind("username", username)
        .execute();
  }

  /** A row with the columns of a person, and what they are in tenant and project. */
  static Person person(RowView row) {
    boolean admin = row.getColumn("admin", Boolean.class);
    return new Person(
        row.getColumn("id", UUID.class),
        row.getColumn("username", String.class),
        Optional.ofNullable(row.getColumn("email", String.class)).orElse(""),
        admin,
        row.getColumn("tenant_id", UUID.class),
        row.getColumn("acts_in", UUID.class),
        row.getColumn("disabled_at", Instant.class) != null,
        new Standing(admin, role(row, "tenant_role"), role(row, "project_role"), Optional.empty()));
  }

  static Optional<Role> role(RowView row, String column) {
    return Optional.ofNullable(row.getColumn(column, String.class)).flatMap(Role::of);
  }
}
