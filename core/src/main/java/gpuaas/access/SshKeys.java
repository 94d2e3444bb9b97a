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
import java.util.UUID;
import java.util.function.Consumer;

/** The public keys that people registered, by project. */
public final class SshKeys {

  private static final int MOST_PER_PROJECT = 500;
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

  /** A key with the name its owner gave it. */
  public record Registered(
      UUID id, UUID project, UUID person, String title, SshKey key, Instant madeAt) {}

  /**
   * Registers a key. The same key twice in a project is refused, and so is what is no public key.
   */
  public Registered add(Tx tx, Caller caller, String title, String publicKey) {
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
    if (SshKeyStore.count(tx, caller.project()) >= MOST_PER_PROJECT) {
      throw new Refused(new Refusal.TooMany(Kind.SSH_KEY, MOST_PER_PROJECT));
    }
    Registered registered =
        new Registered(
            ids.next(), caller.project(), caller.user(), title.strip(), key, clock.instant());
    if (!SshKeyStore.add(tx, registered)) {
      throw new Refused(
          new Refusal.Exists(Kind.SSH_KEY, "this key is registered already: " + key.fingerprint()));
    }
    AuditStore.append(tx, caller, Act.SSH_KEY_CREATE, registered.id(), clock.instant());
    return registered;
  }

  /** The keys of the caller's project, newest first. */
  public List<Registered> list(Caller caller) {
    caller.require(Action.SSH_KEY_READ);
    return database.read(tx -> SshKeyStore.list(tx, caller.project(), MOST_PER_PROJECT));
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
    tx.recall(keysOf(caller.project(), own), _ -> own); // they are there: no need to look again
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
    caller.requireOwn(find(tx, caller, id).person(), Action.SSH_KEY_WRITE);
    SshKeyStore.delete(tx, id);
    AuditStore.append(tx, caller, Act.SSH_KEY_DELETE, id, clock.instant());
    tx.afterCommit(() -> deleted.accept(id));
  }

  private static List<Object> keysOf(UUID project, List<UUID> wanted) {
    return List.of("SSH keys", project, wanted);
  }

  /** Which of these ids are not keys of this project. */
  public List<UUID> missing(Tx tx, UUID project, List<UUID> wanted) {
    List<UUID> there =
        tx.recall(keysOf(project, wanted), own -> SshKeyStore.existing(own, project, wanted));
    return wanted.stream().filter(id -> !there.contains(id)).toList();
  }

  /**
   * Those of these keys that are still registered, by somebody who may still use what is in their
   * project.
   */
  public List<SshKey> holders(List<UUID> wanted) {
    return database.read(tx -> SshKeyStore.keys(tx, wanted));
  }

  private static Registered find(Tx tx, Caller caller, UUID id) {
    return SshKeyStore.find(tx, id)
        .filter(key -> caller.sees(key.project()))
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.SSH_KEY, id.toString())));
  }
}
