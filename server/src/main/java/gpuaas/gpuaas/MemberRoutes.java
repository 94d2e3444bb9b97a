package gpuaas.gpuaas;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Role;
import gpuaas.db.Tx;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.Invitation;
import gpuaas.identity.Invitations;
import gpuaas.identity.Member;
import gpuaas.identity.Tenancy;
import gpuaas.identity.Tenancy.Group;
import gpuaas.idp.Admittance;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Who is in a project and in the tenant around it, and how somebody comes to be. */
final class MemberRoutes {

  private static final String TENANT = "/api/v1/tenant/memberships";
  private static final String PROJECT = ProjectRoutes.ONE + "/memberships";
  private static final String INVITATIONS = ProjectRoutes.ONE + "/invitations";
  private static final Map<String, Role> ROLES =
      Arrays.stream(Role.values()).collect(Collectors.toMap(Role::text, Function.identity()));

  private final Tenancy tenancy;
  private final Invitations invitations;

  MemberRoutes(Admittance admittance) {
    this.tenancy = admittance.tenancy();
    this.invitations = admittance.invitations();
  }

  List<Route> routes() {
    return Stream.of(
            of(TENANT, Group.TENANT, Action.TENANT_READ, Action.TENANT_MEMBER_WRITE),
            List.of(leave("/api/v1/tenant/leave", Group.TENANT)),
            List.of(leave(ProjectRoutes.ONE + "/leave", Group.PROJECT)),
            of(PROJECT, Group.PROJECT, Action.MEMBER_READ, Action.MEMBER_WRITE),
            List.of(
                Route.get(INVITATIONS, this::listInvitations).needing(Action.MEMBER_READ),
                Route.once("POST", INVITATIONS, this::invite).needing(Action.MEMBER_WRITE),
                Route.once("DELETE", INVITATIONS + "/{id}", this::revoke)
                    .needing(Action.MEMBER_WRITE),
                Route.once("POST", "/api/v1/invitations/accept", this::accept)
                    .needing(Action.SELF_WRITE)))
        .flatMap(List::stream)
        .toList();
  }

  private List<Route> of(String path, Group group, Action read, Action write) {
    String one = path + "/{user_id}";
    return List.of(
        Route.get(path, request -> list(request, group)).needing(read),
        Route.once("POST", path, (request, tx) -> add(request, tx, group)).needing(write),
        Route.once("PATCH", one, (request, tx) -> change(request, tx, group)).needing(write),
        Route.once("DELETE", one, (request, tx) -> remove(request, tx, group)).needing(write));
  }

  private Route leave(String path, Group group) {
    return Route.once(
            "POST",
            path,
            (request, tx) -> {
              tenancy.leave(tx, request.caller(), group);
              return Reply.empty(204);
            })
        .needing(Action.SELF_WRITE);
  }

  private record MemberView(
      UUID userId, String username, String email, String role, Instant createdAt) {
    static MemberView of(Member member) {
      return new MemberView(
          member.person(), member.username(), member.email(), member.role().text(), member.since());
    }
  }

  private record MemberPage(List<MemberView> items, Optional<String> nextCursor) {}

  private Reply list(Request request, Group group) {
    int limit = request.queryInteger("page_size", 50, 1, 200);
    Page<Member> page = tenancy.members(request.caller(), group, request.cursorId(), limit);
    return Reply.json(
        200, new MemberPage(page.items().stream().map(MemberView::of).toList(), page.next()));
  }

  private Reply add(Request request, Tx tx, Group group) {
    Fields fields = request.fields();
    Optional<UUID> chosen = id(fields.text("user_id", 36));
    Role role = fields.word("role", ROLES);
    if (chosen.isEmpty()) {
      fields.problem("user_id", "must be the id of a user", "");
    }
    fields.check();
    Member member = tenancy.put(tx, request.caller(), group, chosen.orElseThrow(), role);
    return Reply.json(201, MemberView.of(member));
  }

  private static Optional<UUID> id(String text) {
    try {
      return Optional.of(UUID.fromString(text));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private Reply change(Request request, Tx tx, Group group) {
    Fields fields = request.fields();
    Role role = fields.word("role", ROLES);
    fields.check();
    UUID person = request.id("user_id", Kind.PERSON);
    return Reply.json(200, MemberView.of(tenancy.put(tx, request.caller(), group, person, role)));
  }

  private Reply remove(Request request, Tx tx, Group group) {
    tenancy.remove(tx, request.caller(), group, request.id("user_id", Kind.MEMBER));
    return Reply.empty(204);
  }

  private record InvitationView(
      UUID id,
      UUID projectId,
      String role,
      String status,
      UUID createdBy,
      Instant createdAt,
      Instant expiresAt,
      @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<String> token) {
    static InvitationView of(Invitation invitation, Optional<String> token) {
      return new InvitationView(
          invitation.id(),
          invitation.project(),
          invitation.role().text(),
          status(invitation),
          invitation.madeBy(),
          invitation.madeAt(),
          invitation.expiresAt(),
          token);
    }

    private static String status(Invitation invitation) {
      if (invitation.acceptedBy().isPresent()) {
        return "accepted";
      }
      return invitation.revokedAt().isPresent() ? "revoked" : "open";
    }
  }

  private record InvitationPage(List<InvitationView> items, Optional<String> nextCursor) {}

  private Reply invite(Request request, Tx tx) {
    Fields fields = request.fields();
    Role role = fields.word("role", ROLES);
    fields.check();
    Invitations.Issued issued = invitations.create(tx, request.caller(), role);
    return Reply.json(201, InvitationView.of(issued.invitation(), Optional.of(issued.token())));
  }

  private Reply listInvitations(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, 200);
    Page<Invitation> page = invitations.list(request.caller(), request.cursorId(), limit);
    return Reply.json(
        200,
        new InvitationPage(
            page.items().stream().map(one -> InvitationView.of(one, Optional.empty())).toList(),
            page.next()));
  }

  private Reply revoke(Request request, Tx tx) {
    invitations.revoke(tx, request.caller(), request.id("id", Kind.INVITATION));
    return Reply.empty(204);
  }

  private record Accepted(UUID projectId) {}

  private Reply accept(Request request, Tx tx) {
    Fields fields = request.fields();
    String token = fields.text("token", 200);
    fields.check();
    return Reply.json(200, new Accepted(invitations.accept(tx, request.caller(), token)));
  }
}
