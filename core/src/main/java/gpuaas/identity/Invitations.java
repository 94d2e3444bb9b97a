package gpuaas.identity;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.base.Role;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.identity.TenancyStore.Of;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;

/**
 * Words that make whoever shows them a member of a project. Shown once, kept as a hash, good for
 * one person and a while; how they get to that person is up to the one who invites.
 */
public final class Invitations {

  private static final int OPEN_MOST = 100;
  private static final int LENGTH_MOST = 200;
  private static final Duration KEPT = Duration.ofDays(30);

  private final Database database;
  private final Ids ids;
  private final InstantSource clock;
  private final Duration lifetime;

  public Invitations(Database database, Ids ids, InstantSource clock, Duration lifetime) {
    this.database = database;
    this.ids = ids;
    this.clock = clock;
    this.lifetime = lifetime;
  }

  /** An invitation with what is to be shown, which is nowhere else. */
  public record Issued(Invitation invitation, String token) {
    @Override
    public String toString() {
      return "Issued[" + invitation + "]"; // never the secret
    }
  }

  /** Invites to the caller's project, into a role that is not above the caller's. */
  public Issued create(Tx tx, Caller caller, Role role) {
    caller.require(Action.MEMBER_WRITE);
    Instant now = clock.instant();
    if (caller
        .standing()
        .highest(Action.Where.PROJECT)
        .filter(own -> own.isAtLeast(role))
        .isEmpty()) {
      throw new Refused(new Refusal.Denied(Action.MEMBER_WRITE));
    }
    InvitationStore.deleteExpired(tx, now.minus(KEPT));
    if (InvitationStore.countOpen(tx, caller.project(), now) >= OPEN_MOST) {
      throw new Refused(new Refusal.TooMany(Kind.INVITATION, OPEN_MOST));
    }
    String token = Secrets.token();
    Invitation made =
        new Invitation(
            ids.next(),
            caller.project(),
            role,
            caller.user(),
            now,
            now.plus(lifetime),
            Optional.empty(),
            Optional.empty());
    InvitationStore.add(tx, made, Secrets.hash(token));
    AuditStore.append(tx, caller, Act.INVITATION_CREATE, made.id(), now);
    return new Issued(made, token);
  }

  /** The invitations to the caller's project, newest first. */
  public Page<Invitation> list(Caller caller, Optional<UUID> after, int limit) {
    caller.require(Action.MEMBER_READ);
    return database.read(tx -> {
      Optional<Invitation> before = after.map(id -> visible(tx, caller, id));
      return Page.of(
          InvitationStore.list(tx, caller.project(), before, limit + 1), limit, Invitation::id);
    });
  }

  /** It makes nobody a member any more. */
  public void revoke(Tx tx, Caller caller, UUID id) {
    caller.require(Action.MEMBER_WRITE);
    visible(tx, caller, id);
    InvitationStore.revoke(tx, id, clock.instant());
    AuditStore.append(tx, caller, Act.INVITATION_REVOKE, id, clock.instant());
  }

  /** Makes the caller a member; who has a higher role already keeps it. The project's id. */
  public UUID accept(Tx tx, Caller caller, String token) {
    caller.require(Action.SELF_WRITE);
    Instant now = clock.instant();
    Invitation taken =
        Optional.of(token)
            .filter(text -> text.length() <= LENGTH_MOST)
            .flatMap(text -> InvitationStore.take(tx, Secrets.hash(text), caller.user(), now))
            .orElseThrow(() ->
                new Refused(
                    Refusal.Invalid.field(
                        "token", "is no invitation that is open; ask for a new one")));
    Project project = TenancyStore.find(tx, taken.project(), caller.user()).orElseThrow();
    TenancyStore.lockMembers(tx, Of.PROJECT, project.id());
    Role role =
        TenancyStore.role(tx, Of.PROJECT, project.id(), caller.user())
            .filter(own -> own.isAtLeast(taken.role()))
            .orElse(taken.role());
    TenancyStore.setRole(tx, TenancyStore.Of.PROJECT, project.id(), caller.user(), role, now);
    AuditStore.append(tx, caller, Act.INVITATION_ACCEPT, taken.id(), now);
    return project.id();
  }

  private static Invitation visible(Tx tx, Caller caller, UUID id) {
    return InvitationStore.find(tx, id)
        .filter(found -> caller.sees(found.project()))
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.INVITATION, id.toString())));
  }
}
