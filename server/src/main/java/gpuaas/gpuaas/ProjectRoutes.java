package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Role;
import gpuaas.db.Tx;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.Project;
import gpuaas.identity.Tenancy;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Projects: make, look, list, rename, and the one to act in by default. */
final class ProjectRoutes {

  static final String PATH = "/api/v1/projects";
  static final String ONE = PATH + "/{project_id}";

  private final Tenancy tenancy;

  ProjectRoutes(Tenancy tenancy) {
    this.tenancy = tenancy;
  }

  List<Route> routes() {
    return List.of(
        Route.get(PATH, this::list).needing(Action.SELF_READ),
        Route.once("POST", PATH, this::create).needing(Action.PROJECT_CREATE),
        Route.get(ONE, this::get).needing(Action.CATALOG_READ),
        Route.once("PATCH", ONE, this::rename).needing(Action.PROJECT_WRITE),
        Route.once("POST", ONE + "/default", this::setDefault).needing(Action.SELF_WRITE));
  }

  private record ProjectView(
      UUID id,
      UUID tenantId,
      UUID orgId,
      String slug,
      String name,
      Optional<String> role,
      Instant createdAt) {
    static ProjectView of(Project project) {
      return new ProjectView(
          project.id(),
          project.tenant(),
          project.tenant(),
          project.slug(),
          project.name(),
          project.role().map(Role::text),
          project.madeAt());
    }
  }

  private record ProjectPage(List<ProjectView> items, Optional<String> nextCursor) {}

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, 200);
    Page<Project> page = tenancy.list(request.caller(), request.cursorId(), limit);
    return Reply.json(
        200, new ProjectPage(page.items().stream().map(ProjectView::of).toList(), page.next()));
  }

  private Reply create(Request request, Tx tx) {
    Fields fields = request.fields();
    String name = fields.text("name", 200);
    Optional<String> slug = fields.maybeText("slug", 63);
    fields.check();
    Project made = tenancy.create(tx, request.caller(), name, slug);
    return Reply.json(201, ProjectView.of(made)).with("Location", PATH + "/" + made.id());
  }

  private Reply get(Request request) {
    return Reply.json(200, ProjectView.of(tenancy.get(request.caller())));
  }

  private Reply rename(Request request, Tx tx) {
    Fields fields = request.fields();
    String name = fields.text("name", 200);
    fields.check();
    return Reply.json(200, ProjectView.of(tenancy.rename(tx, request.caller(), name)));
  }

  private Reply setDefault(Request request, Tx tx) {
    tenancy.setDefault(tx, request.caller(), request.caller().project());
    return Reply.empty(204);
  }
}
