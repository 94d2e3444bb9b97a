package gpuaas.access;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * The public keys that were registered: a person's, which open machines in every project in which
 * the person may enter them, and a project's. Either opens nothing from the moment on in which
 * whoever registered it may not enter machines there: they have its other half.
 */
public final class SshKeys {

  private static final int MOST_PER_PROJECT = 500;
  private static final int MOST_PER_PERSON = 100;
  private static final int TITLE_LENGTH_MOST = 200;

  private final Database database;
  private final Ids ids;
  private final InstantSource clock;
  private final Consumer<UUID> deleted;

  /**
   * @param deleted told after the commit when a key is gone, so that what it opened closes
   */
  public SshKeys(Database database, Ids ids, InstantSource clock, Consumer<UUID> deleted) {
    this.database = database;
    this.ids = ids;
    this.clock = clock;
    this.deleted = deleted;
  }

  /** Whose a key is. */
  public enum Scope {
    /** The person's who registered it, wherever they are. */
    USER,
    /** The project's. */
    PROJECT
  }

  /**
   * A key with the name its owner gave it.
   *
   * @param project whose it is; empty: the person's
   * @param person who registered it
   */
  public record Registered(
      UUID id, Optional<UUID> project, UUID person, String title, SshKey key, Instant madeAt) {

    /** Whose it is. */
    public Scope scope() {
      return project.isPresent() ? Scope.PROJECT : Scope.USER;
    }
  }

  /**
   * Registers a key. The same key twice is refused, and so is what is no public key.
   *
   * @param scope empty: the person's for who logged in. Who comes with an API key or is a service
   *     account changes nothing beyond its project: then the project's
   */
  public Registered add(
      Tx tx, Caller caller, String title, String publicKey, Optional<Scope> scope) {
    caller.require(Action.SSH_KEY_WRITE);
    if (title.isBlank() || title.length() > TITLE_LENGTH_MOST) {
      throw new Refused(
          Refusal.Invalid.field("title", "must have 1 to " + TITLE_LENGTH_MOST + " characters"));
    }
    SshKey key;
    try {
      key = SshKey.parse(publicKey);
    } catch (IllegalArgumentException e) {
      throw new Refused(Refusal.Invalid.field("key", String.valueOf(e.getMessage())));
    }
    Scope whose = scope.orElse(caller.isConfined() ? Scope.PROJECT : Scope.USER);
    refuseTooMany(tx, caller, whose);
    Registered registered =
        new Registered(
            ids.next(),
            whose == Scope.PROJECT ? Optional.of(caller.project()) : Optional.empty(),
            caller.user(),
            title.strip(),
            key,
            clock.instant());
    if (SshKeyStore.has(tx, caller.project(), caller.user(), key.fingerprint())
        || !SshKeyStore.add(tx, registered)) {
      throw new Refused(
          new Refusal.Exists(Kind.SSH_KEY, "this key is registered already: " + key.fingerprint()));
    }
    AuditStore.append(tx, caller, Act.SSH_KEY_CREATE, registered.id(), clock.instant());
    return registered;
  }

  private static void refuseTooMany(Tx tx, Caller caller, Scope whose) {
    switch (whose) {
      case USER -> {
        refuseConfined(caller);
        if (SshKeyStore.countOfPerson(tx, caller.user()) >= MOST_PER_PERSON) {
          throw new Refused(new Refusal.TooMany(Kind.SSH_KEY, MOST_PER_PERSON));
        }
      }
      case PROJECT -> {
        if (SshKeyStore.countOfProject(tx, caller.project()) >= MOST_PER_PROJECT) {
          throw new Refused(new Refusal.TooMany(Kind.SSH_KEY, MOST_PER_PROJECT));
        }
      }
    }
  }

  /** A person's keys reach beyond the project that such a caller is held to. */
  private static void refuseConfined(Caller caller) {
    if (caller.isConfined()) {
      throw new Refused(new Refusal.Denied(Action.SSH_KEY_WRITE));
    }
  }

  /** The keys of the caller's project and the caller's own, newest first. */
  public List<Registered> list(Caller caller) {
    caller.require(Action.SSH_KEY_READ);
    int most = MOST_PER_PROJECT + MOST_PER_PERSON;
    return database.read(tx -> SshKeyStore.list(tx, caller.project(), caller.user(), most));
  }

  /** The keys that the caller registered, newest first. */
  public List<Registered> listOwn(Caller caller) {
    return list(caller).stream().filter(key -> key.person().equals(caller.user())).toList();
  }

  /** The ids of the keys that the caller registered, newest first. */
  public List<UUID> own(Tx tx, Caller caller, int most) {
    List<Object> whose = List.of("own SSH keys", caller.project(), caller.user(), most);
    List<UUID> own =
        tx.recall(whose, read -> SshKeyStore.own(read, caller.project(), caller.user(), most));
    tx.recall(keysOf(caller, own), _ -> own); // they are there: no need to look again
    return own;
  }

  /** One key. */
  public Registered get(Caller caller, UUID id) {
    caller.require(Action.SSH_KEY_READ);
    return database.read(tx -> find(tx, caller, id));
  }

  /** Forgets a key. What it opened closes within seconds. */
  public void delete(Tx tx, Caller caller, UUID id) {
    caller.require(Action.SSH_KEY_WRITE);
    Registered key = find(tx, caller, id);
    switch (key.scope()) {
      case USER -> refuseConfined(caller);
      case PROJECT -> caller.requireOwn(key.person(), Action.SSH_KEY_WRITE);
    }
    SshKeyStore.delete(tx, id);
    AuditStore.append(tx, caller, Act.SSH_KEY_DELETE, id, clock.instant());
    tx.afterCommit(() -> deleted.accept(id));
  }

  private static List<Object> keysOf(Caller caller, List<UUID> wanted) {
    return List.of("SSH keys", caller.project(), caller.user(), wanted);
  }

  /** Which of these ids are not keys that the caller may name in their project. */
  public List<UUID> missing(Tx tx, Caller caller, List<UUID> wanted) {
    List<UUID> there =
        tx.recall(
            keysOf(caller, wanted),
            own -> SshKeyStore.nameable(own, caller.project(), caller.user(), wanted));
    return wanted.stream().filter(id -> !there.contains(id)).toList();
  }

  /**
   * Those of these keys that open machines of this project now: they are still registered, by
   * somebody who may enter them.
   */
  public List<SshKey> holders(UUID project, List<UUID> wanted) {
    return database.read(tx -> SshKeyStore.keys(tx, project, wanted));
  }

  private static Registered find(Tx tx, Caller caller, UUID id) {
    return SshKeyStore.find(tx, id)
        .filter(key ->
            key.project()
                .map(caller::sees)
                .orElse(
                    key.person().equals(caller.user())
                        || (caller.isAdmin() && !caller.isConfined())))
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.SSH_KEY, id.toString())));
  }
}
