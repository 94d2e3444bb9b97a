package gpuaas.gpuaas;

import gpuaas.audit.Audit;
import gpuaas.audit.Entry;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.http.Json;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The audit trail: looked through, taken out as a file, and checked. */
final class AuditRoutes {

  private static final String PATH = "/api/v1/admin/audit-logs";
  private static final int EXPORTED_AT_ONCE = 500;
  private static final String CSV_HEAD =
      "id,created_at,actor_user_id,actor_name,actor_role,action,target_id,project_id,result,"
          + "correlation_id,actor_ip,user_agent,metadata\r\n";

  private final Audit audit;

  AuditRoutes(Audit audit) {
    this.audit = audit;
  }

  List<Route> routes() {
    return List.of(
        Route.get(PATH, this::list).needing(Action.AUDIT_READ),
        Route.get(PATH + "/export", this::export).needing(Action.AUDIT_READ),
        Route.get(PATH + "/verification", this::verify).needing(Action.PLATFORM_OPERATE));
  }

  private record EntryView(
      long id,
      Instant createdAt,
      UUID actorUserId,
      String actorName,
      String actorRole,
      String action,
      UUID targetId,
      UUID projectId,
      String result,
      String correlationId,
      String actorIp,
      String userAgent,
      Map<String, String> metadata) {
    static EntryView of(Entry entry) {
      return new EntryView(
          entry.id(),
          entry.at(),
          entry.actor(),
          entry.actorName(),
          entry.actorRole(),
          entry.action(),
          entry.target(),
          entry.project(),
          entry.success() ? "success" : "failure",
          entry.correlationId(),
          entry.origin().address(),
          entry.origin().userAgent(),
          entry.details());
    }

    String csv() {
      return String.join(
              ",",
              Long.toString(id),
              createdAt.toString(),
              actorUserId.toString(),
              cell(actorName),
              actorRole,
              action,
              targetId.toString(),
              projectId.toString(),
              result,
              cell(correlationId),
              cell(actorIp),
              cell(userAgent),
              cell(Json.write(metadata)))
          + "\r\n";
    }

    /** By RFC 4180; what a spreadsheet would take for a formula is made text. */
    private static String cell(String text) {
      boolean formula = !text.isEmpty() && "=+-@\t\r".indexOf(text.charAt(0)) >= 0;
      return "\"" + (formula ? "'" : "") + text.replace("\"", "\"\"") + "\"";
    }
  }

  private record EntryPage(List<EntryView> items, Optional<String> nextCursor) {}

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, 1000);
    Page<Entry> page =
        audit.search(request.caller(), filter(request), number(request, "cursor"), limit);
    return Reply.json(
        200, new EntryPage(page.items().stream().map(EntryView::of).toList(), page.next()));
  }

  private static Audit.Filter filter(Request request) {
    return new Audit.Filter(
        id(request, "project_id"),
        id(request, "actor_user_id"),
        id(request, "target_id"),
        request.query("action").map(AuditRoutes::word),
        request.query("result").map(AuditRoutes::word),
        time(request, "from"),
        time(request, "to"));
  }

  /** PostgreSQL takes no NUL. */
  private static String word(String text) {
    return text.replace('\0', ' ');
  }

  private static Optional<UUID> id(Request request, String name) {
    try {
      return request.query(name).map(UUID::fromString);
    } catch (IllegalArgumentException e) {
      throw new Refused(Refusal.Invalid.field(name, "is not an id"));
    }
  }

  private static Optional<Long> number(Request request, String name) {
    try {
      return request.query(name).map(Long::valueOf);
    } catch (NumberFormatException e) {
      throw new Refused(Refusal.Invalid.field(name, "is not a cursor that we gave out"));
    }
  }

  private static Optional<Instant> time(Request request, String name) {
    try {
      return request.query(name).map(text -> OffsetDateTime.parse(text).toInstant());
    } catch (DateTimeException e) {
      throw new Refused(Refusal.Invalid.field(name, "must be a time such as 2026-01-31T12:00:00Z"));
    }
  }

  /** A page after the other, so that it takes no more memory the more there is. */
  private Reply export(Request request) {
    Caller caller = request.caller();
    Audit.Filter filter = filter(request);
    return switch (request.query("format").orElse("jsonl")) {
      case "jsonl" ->
          Reply.stream(
              "application/x-ndjson",
              out -> export(caller, filter, view -> Json.write(view) + "\n", out));
      case "csv" ->
          Reply.stream(
              "text/csv; charset=utf-8",
              out -> {
                out.send(CSV_HEAD);
                export(caller, filter, EntryView::csv, out);
              });
      default -> throw new Refused(Refusal.Invalid.field("format", "must be jsonl or csv"));
    };
  }

  private void export(
      Caller caller, Audit.Filter filter, Function<EntryView, String> line, Reply.Out out)
      throws IOException {
    Optional<Long> before = Optional.empty();
    do {
      Page<Entry> page = audit.search(caller, filter, before, EXPORTED_AT_ONCE);
      if (!page.items().isEmpty()) {
        out.send(page.items().stream().map(EntryView::of).map(line).collect(Collectors.joining()));
      }
      before = page.next().map(Long::valueOf);
    } while (before.isPresent());
  }

  private record VerdictView(
      boolean intact, long entries, Optional<String> head, Optional<String> problem) {}

  private Reply verify(Request request) {
    return Reply.json(
        200,
        switch (audit.verify(request.caller())) {
          case Audit.Verdict.Whole(long entries, String head) ->
              new VerdictView(true, entries, Optional.of(head), Optional.empty());
          case Audit.Verdict.Broken(long position, String why) ->
              new VerdictView(
                  false,
                  position - 1,
                  Optional.empty(),
                  Optional.of("entry " + position + ": " + why));
        });
  }
}
