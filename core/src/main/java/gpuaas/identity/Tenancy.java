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
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.identity.TenancyStore.Of;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Projects and members. Nobody gives a role above their own or changes somebody who has one; the
 * last owner stays; whoever is removed has no keys here from that moment, and what those had opened
 * closes within seconds.
 */
public final class Tenancy {

  private static final Pattern SLUG = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");
  private static final int NAME_LENGTH_MOST = 200;

  private final Database database;
  private final Ids ids;
  private final InstantSource clock;
  private final TenancyRules rules;
  private final Consumer<UUID> removed;

  /**
   * @param removed told after the commit that somebody may less than before, so that what they have
   *     open is looked at
   */
  public Tenancy(
      Database database, Ids ids, InstantSource clock, TenancyRules rules, Consumer<UUID> removed) {
    this.database = database;
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
    this.removed = removed;
  }

  /**
   * The limits; each is a setting.
   *
   * @param projectsMost of a tenant
   * @param membersMost of a tenant or a project
   */
  public record TenancyRules(int projectsMost, int membersMost) {}

  /** Makes a project in the caller's tenant; its maker owns it. */
  public Project create(Tx tx, Caller caller, String name, Optional<String> slug) {
    caller.require(Action.PROJECT_CREATE);
    String named = name(name);
    String chosen = slug.orElseGet(() -> slugOf(named));
    if (!SLUG.matcher(chosen).matches()) {
      throw new Refused(
          Refusal.Invalid.field(
              "slug",
              "must have 1 to 63 lower-case letters, digits or dashes, and begin with none"));
    }
    TenancyStore.lockMembers(tx, Of.TENANT, caller.tenant());
    if (TenancyStore.countProjects(tx, caller.tenant()) >= rules.projectsMost()) {
      throw new Refused(new Refusal.TooMany(Kind.PROJECT, rules.projectsMost()));
    }
    if (TenancyStore.hasSlug(tx, caller.tenant(), chosen)) {
      throw new Refused(
          new Refusal.Exists(Kind.PROJECT, "there is a project called " + chosen + " already"));
    }
    Project project =
        new Project(
            ids.next(), caller.tenant(), chosen, named, clock.instant(), Optional.of(Role.OWNER));
    TenancyStore.add(tx, project);
    TenancyStore.setRole(
        tx, TenancyStore.Of.PROJECT, project.id(), caller.user(), Role.OWNER, clock.instant());
    AuditStore.append(tx, caller, Act.PROJECT_CREATE, project.id(), clock.instant());
    return project;
  }

  private static String slugOf(String name) {
    String plain =
        name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-+|-+$", "");
    return plain.substring(0, Math.min(63, plain.length()));
  }

  private static String name(String name) {
    if (name.isBlank() || name.length() > NAME_LENGTH_MOST) {
      throw new Refused(
          Refusal.Invalid.field("name", "must have 1 to " + NAME_LENGTH_MOST + " characters"));
    }
    return name.strip();
  }

  /** The project that the caller acts in. */
  public Project get(Caller caller) {
    return database.read(tx -> current(tx, caller));
  }

  /** Gives the project that the caller acts in another name; its slug stays. */
  public Project rename(Tx tx, Caller caller, String name) {
    caller.require(Action.PROJECT_WRITE);
    TenancyStore.rename(tx, caller.project(), name(name));
    AuditStore.append(tx, caller, Act.PROJECT_UPDATE, caller.project(), clock.instant());
    return current(tx, caller);
  }

  /** The projects that the caller is in, newest first; who comes with a key sees the key's. */
  public Page<Project> list(Caller caller, Optional<UUID> after, int limit) {
    caller.require(Action.SELF_READ);
    return database.read(tx -> {
      if (caller.isConfined()) {
        return new Page<>(List.of(current(tx, caller)), Optional.empty());
      }
      Optional<Project> before = after.flatMap(id -> TenancyStore.find(tx, id, caller.user()));
      return Page.of(TenancyStore.list(tx, caller.user(), before, limit + 1), limit, Project::id);
    });
  }

  /** From now on the caller acts in this project unless they say otherwise. */
  public void setDefault(Tx tx, Caller caller, UUID project) {
    caller.require(Action.SELF_WRITE);
    var _ =
        TenancyStore.find(tx, project, caller.user())
            .filter(found -> found.role().isPresent() || caller.isAdmin())
            .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.PROJECT, project.toString())));
    TenancyStore.setDefault(tx, caller.user(), project);
  }

  private static Project current(Tx tx, Caller caller) {
    return TenancyStore.find(tx, caller.project(), caller.user()).orElseThrow();
  }

  /** Where members are. */
  public enum Group {
    /** The tenant that the caller acts in. */
    TENANT(Of.TENANT, Action.TENANT_READ, Action.TENANT_MEMBER_WRITE),
    /** The project that the caller acts in. */
    PROJECT(Of.PROJECT, Action.MEMBER_READ, Action.MEMBER_WRITE);

    private final Of of;
    private final Action read;
    private final Action write;

    Group(Of of, Action read, Action write) {
      this.of = of;
      this.read = read;
      this.write = write;
    }

    private UUID id(Caller caller) {
      return this == TENANT ? caller.tenant() : caller.project();
    }
  }

  /** Who is in it, by id. */
  public Page<Member> members(Caller caller, Group group, Optional<UUID> after, int limit) {
    caller.require(group.read);
    return database.read(tx ->
        Page.of(
            TenancyStore.members(tx, group.of, group.id(caller), after, limit + 1),
            limit,
            Member::person));
  }

  /** Makes somebody a member, or gives them another role. */
  public Member put(Tx tx, Caller caller, Group group, UUID person, Role role) {
    caller.require(group.write);
    UUID id = group.id(caller);
    TenancyStore.lockMembers(tx, group.of, id);
    Optional<Role> before = TenancyStore.role(tx, group.of, id, person);
    requireAbove(caller, group, role);
    before.ifPresent(old -> requireAbove(caller, group, old));
    if (before.isEmpty()) {
      var _ =
          IdentityStore.find(tx, person)
              .filter(found -> !found.disabled())
              .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.PERSON, person.toString())));
      if (TenancyStore.countMembers(tx, group.of, id) >= rules.membersMost()) {
        throw new Refused(new Refusal.TooMany(Kind.MEMBER, rules.membersMost()));
      }
    }
    if (before.equals(Optional.of(Role.OWNER)) && role != Role.OWNER) {
      requireAnotherOwner(tx, group, id, person);
    }
    TenancyStore.setRole(tx, group.of, id, person, role, clock.instant());
    AuditStore.append(tx, caller, Act.MEMBER_SET, person, clock.instant());
    tx.afterCommit(() -> removed.accept(person));
    return TenancyStore.member(tx, group.of, id, person).orElseThrow();
  }

  /** Takes somebody out, with all that their keys opened. */
  public void remove(Tx tx, Caller caller, Group group, UUID person) {
    caller.require(group.write);
    TenancyStore.role(tx, group.of, group.id(caller), person)
        .ifPresent(role -> requireAbove(caller, group, role));
    takeOut(tx, caller, group, person);
  }

  /** Takes the caller out, whatever their role. */
  public void leave(Tx tx, Caller caller, Group group) {
    caller.require(Action.SELF_WRITE);
    takeOut(tx, caller, group, caller.user());
  }

  private void takeOut(Tx tx, Caller caller, Group group, UUID person) {
    UUID id = group.id(caller);
    TenancyStore.lockMembers(tx, group.of, id);
    Role role =
        TenancyStore.role(tx, group.of, id, person)
            .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.MEMBER, person.toString())));
    if (role == Role.OWNER) {
      requireAnotherOwner(tx, group, id, person);
    }
    List<UUID> projects =
        group == Group.PROJECT ? List.of(id) : TenancyStore.projectsOf(tx, id, person);
    for (UUID project : projects) {
      TenancyStore.remove(tx, Of.PROJECT, project, person);
      TenancyStore.takeKeys(tx, project, person, clock.instant());
      TenancyStore.leaveDefault(tx, project, person);
    }
    if (group == Group.TENANT) {
      TenancyStore.remove(tx, Of.TENANT, id, person);
    }
    AuditStore.append(tx, caller, Act.MEMBER_REMOVE, person, clock.instant());
    tx.afterCommit(() -> removed.accept(person));
  }

  private static void requireAbove(Caller caller, Group group, Role role) {
    Action.Where where = group == Group.TENANT ? Action.Where.TENANT : Action.Where.PROJECT;
    if (caller.standing().highest(where).filter(own -> own.isAtLeast(role)).isEmpty()) {
      throw new Refused(new Refusal.Denied(group.write));
    }
  }

  private static void requireAnotherOwner(Tx tx, Group group, UUID id, UUID person) {
    if (TenancyStore.countOwners(tx, group.of, id) < 2) {
      throw new Refused(
          new Refusal.WrongState(
              Kind.MEMBER, person.toString(), "the last owner", "one of several owners"));
    }
  }
}
