package gpuaas.oversight;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.Duplicate;
import gpuaas.db.Tx;
import gpuaas.identity.Identities;
import gpuaas.identity.PersonListStore;
import gpuaas.identity.PersonListStore.Listed;
import gpuaas.lease.LeaseListStore;
import gpuaas.session.Sessions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Everybody who has a name here, for those who run the platform. */
public final class Roster {

  private static final Duration COME_AGAIN = Duration.ofSeconds(5);

  private final Database database;
  private final Identities identities;
  private final Sessions sessions;
  private final InstantSource clock;

  public Roster(Database database, Identities identities, Sessions sessions, InstantSource clock) {
    this.database = database;
    this.identities = identities;
    this.sessions = sessions;
    this.clock = clock;
  }

  /**
   * People, newest first.
   *
   * @param username exactly this name; empty: all
   * @param after where the last page ended, as its {@code next} says
   */
  public Page<Listed> list(
      Caller caller, Optional<String> username, Optional<UUID> after, int limit) {
    caller.require(Action.PLATFORM_OPERATE);
    return database.read(tx -> {
      Optional<Listed> before = after.map(id -> find(tx, id));
      return Page.of(PersonListStore.list(tx, username, before, limit + 1), limit, Listed::id);
    });
  }

  /** One of them. */
  public Listed get(Caller caller, UUID id) {
    caller.require(Action.PLATFORM_OPERATE);
    return database.read(tx -> find(tx, id));
  }

  /** Somebody new, with a tenant and a project of their own, and a password to begin with. */
  public Listed create(Tx tx, Caller caller, String username, String password) {
    caller.require(Action.PLATFORM_OPERATE);
    if (!PersonListStore.list(tx, Optional.of(username), Optional.empty(), 1).isEmpty()) {
      throw taken();
    }
    try {
      UUID id = identities.add(tx, username, password);
      write(tx, caller, Act.USER_CREATE, id);
      return find(tx, id);
    } catch (Duplicate sameMoment) {
      throw taken();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refused(new Refusal.NotReady("this server", COME_AGAIN));
    }
  }

  private static Refused taken() {
    return new Refused(new Refusal.Exists(Kind.PERSON, "This name is taken; choose another"));
  }

  /**
   * Lets somebody in again, or nowhere any more: then what they have open closes, and their keys
   * open nothing. What they started goes on. Asking again is fine.
   */
  public Listed enable(Tx tx, Caller caller, UUID id, boolean enabled) {
    refuseSelf(caller, id);
    Listed before = find(tx, id);
    if (PersonListStore.enable(tx, before.id(), enabled, clock.instant())) {
      if (!enabled) {
        sessions.endAll(tx, id, "disabled");
      }
      write(tx, caller, enabled ? Act.USER_ENABLE : Act.USER_DISABLE, id);
    }
    return find(tx, id);
  }

  /**
   * Forgets somebody: their name, their address, and all that they could come in with. What they
   * paid and used stays, under no name.
   *
   * @throws Refused while something runs that they asked for
   */
  public void delete(Tx tx, Caller caller, UUID id) {
    refuseSelf(caller, id);
    find(tx, id);
    if (LeaseListStore.hasLiving(tx, id)) {
      throw new Refused(
          new Refusal.WrongState(
              Kind.PERSON, id.toString(), "somebody with allocations", "without any"));
    }
    sessions.endAll(tx, id, "deleted");
    PersonListStore.forget(tx, id, clock.instant());
    write(tx, caller, Act.USER_DELETE, id);
  }

  /** Nobody locks themselves out by accident. */
  private static void refuseSelf(Caller caller, UUID id) {
    caller.require(Action.PLATFORM_OPERATE);
    if (caller.user().equals(id)) {
      throw new Refused(
          new Refusal.WrongState(Kind.PERSON, id.toString(), "yourself", "somebody else"));
    }
  }

  private static Listed find(Tx tx, UUID id) {
    return PersonListStore.find(tx, id)
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.PERSON, id.toString())));
  }

  private void write(Tx tx, Caller caller, Act act, UUID id) {
    AuditStore.append(tx, caller, caller.project(), act, id, clock.instant(), Map.of());
  }
}
