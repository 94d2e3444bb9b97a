package gpuaas.identity;

import gpuaas.base.Ids;
import gpuaas.db.Database;
import gpuaas.db.Duplicate;
import gpuaas.db.Tx;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Semaphore;

/** People, what they prove who they are with, and the tenants and projects they belong to. */
public final class Identities {

  private static final int PASSWORD_CHECKS_AT_ONCE = 2;
  private static final int PASSWORD_LENGTH_MOST = 1000;

  private final Database database;
  private final Ids ids;
  private final InstantSource clock;
  // Each check takes 64 MiB and much of a core: a flood of guesses must not take the machine down.
  private final Semaphore passwordChecks = new Semaphore(PASSWORD_CHECKS_AT_ONCE, true);
  private final String hashOfNobody = Passwords.hash("");

  public Identities(Database database, Ids ids, InstantSource clock) {
    this.database = database;
    this.ids = ids;
    this.clock = clock;
  }

  /** Somebody who is here and not disabled. */
  public Optional<Person> find(UUID id) {
    return database.read(tx -> IdentityStore.find(tx, id)).filter(person -> !person.disabled());
  }

  /**
   * Somebody who is here and not disabled, as they stand in a project; empty: there is no such
   * project.
   */
  public Optional<Person> find(UUID id, UUID project) {
    return database
        .read(tx -> IdentityStore.find(tx, id, project))
        .filter(person -> !person.disabled());
  }

  /** Somebody of this name who is here and not disabled. */
  public Optional<Person> findByName(String username) {
    return database
        .read(tx -> IdentityStore.findByName(tx, username))
        .map(IdentityStore.Login::person)
        .filter(person -> !person.disabled());
  }

  /** Makes a person with a tenant and a default project of their own, unless the name is taken. */
  public void ensure(String username, String password, boolean admin) {
    if (database.read(tx -> IdentityStore.findByName(tx, username)).isPresent()) {
      return;
    }
    String hash = Passwords.hash(password);
    try {
      database.run(tx -> IdentityStore.add(tx, ids, username, hash, admin, clock.instant()));
    } catch (Duplicate sameMoment) {
      // Somebody else made them: another server, or a command beside it.
    }
  }

  /**
   * Somebody new, with a tenant and a default project of their own; empty: the name is taken. Must
   * be asked for a name and a password that may be.
   */
  public Optional<Person> signUp(String username, String password) throws InterruptedException {
    String hash;
    passwordChecks.acquire();
    try {
      hash = Passwords.hash(password);
    } finally {
      passwordChecks.release();
    }
    try {
      database.run(tx -> IdentityStore.add(tx, ids, username, hash, false, clock.instant()));
    } catch (Duplicate taken) {
      return Optional.empty();
    }
    return findByName(username);
  }

  /**
   * The same, in a transaction with something else.
   *
   * @throws Duplicate at the latest at its end when the name is taken
   */
  public UUID add(Tx tx, String username, String password) throws InterruptedException {
    passwordChecks.acquire();
    try {
      String hash = Passwords.hash(password);
      return IdentityStore.add(tx, ids, username, hash, false, clock.instant());
    } finally {
      passwordChecks.release();
    }
  }

  /**
   * Somebody whom somebody else vouches for, made known here when they come first; with a tenant
   * and a project of their own, and no rights beyond that. Empty: they are disabled here.
   *
   * @param issuer who vouches; the same name from another issuer is somebody else
   */
  public Optional<Person> enter(String issuer, String username) {
    Optional<Person> known = database.read(tx -> IdentityStore.findByIssuer(tx, issuer, username));
    if (known.isEmpty()) {
      try {
        database.run(tx ->
            IdentityStore.add(tx, ids, issuer, username, Optional.empty(), false, clock.instant()));
      } catch (Duplicate sameMoment) {
        // They came twice at once.
      }
      known = database.read(tx -> IdentityStore.findByIssuer(tx, issuer, username));
    }
    return known.filter(person -> !person.disabled());
  }

  /**
   * Somebody whom an issuer knows by a subject, made known here when they come first; with a tenant
   * and a project of their own. Their name is theirs at the issuer, and never somebody else's here.
   * Empty: they are disabled here.
   */
  public Optional<Person> enter(
      String issuer, String subject, String name, GroupRoles.Given given) {
    Optional<Person> known = database.read(tx -> IdentityStore.findBySubject(tx, issuer, subject));
    if (known.isEmpty()) {
      try {
        database.run(
            tx -> IdentityStore.addSubject(tx, ids, issuer, subject, name, clock.instant()));
      } catch (Duplicate sameMoment) {
        // They came twice at once.
      }
      known = database.read(tx -> IdentityStore.findBySubject(tx, issuer, subject));
    }
    Optional<Person> person = known.filter(found -> !found.disabled());
    person.ifPresent(
        found -> database.run(tx -> GroupRoleStore.apply(tx, found.id(), given, clock.instant())));
    return person;
  }

  /** Somebody by a number, for dialects that call people so. */
  public long number(UUID person) {
    return database.read(tx -> IdentityStore.number(tx, person));
  }

  /**
   * The person whose name and password these are. An unknown name takes as long as a wrong
   * password.
   */
  public Optional<Person> checkPassword(String username, String password)
      throws InterruptedException {
    if (password.length() > PASSWORD_LENGTH_MOST) {
      return Optional.empty();
    }
    Optional<IdentityStore.Login> login =
        database.read(tx -> IdentityStore.findByName(tx, username));
    passwordChecks.acquire();
    try {
      boolean matches =
          Passwords.matches(
              password, login.map(IdentityStore.Login::passwordHash).orElse(hashOfNobody));
      return login
          .filter(found -> matches)
          .map(IdentityStore.Login::person)
          .filter(person -> !person.disabled());
    } finally {
      passwordChecks.release();
    }
  }

  /** True for a name that another provider knows, and that has no password here. */
  public boolean logsInElsewhere(String username) {
    return database.read(tx ->
        IdentityStore.findByName(tx, username).isEmpty()
            && IdentityStore.isKnownElsewhere(tx, username));
  }

  /**
   * Lets somebody in again, or nowhere any more. Nothing happens when there is nobody of that name.
   */
  public void enable(String username, boolean enabled) {
    database.run(tx -> IdentityStore.enable(tx, username, enabled, clock.instant()));
  }
}
