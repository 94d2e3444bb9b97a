package gpuaas.gpudev;

import gpuaas.base.Action;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.Duplicate;
import gpuaas.db.Tx;
import gpuaas.disk.Disk;
import gpuaas.disk.Disk.Operation;
import gpuaas.disk.Disk.Snapshot;
import gpuaas.disk.Disks;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.gpudev.wire.GpudevJson;
import gpuaas.gpudev.wire.Model;
import gpuaas.http.Halt;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** Disks of the caller (contract 3.14 to 3.21), and what the original's users missed. */
final class DiskRoutes {

  private static final String PATH = "/v1/disks";
  private static final int GB_LEAST = 10;
  private static final int GB_MOST = 10_000;
  private static final int GB_BITS = 30;
  private static final String NAMED =
      "Disk name must contain only letters, numbers, hyphens, and underscores";
  private static final String NO_CONTENT =
      "No snapshot contents available. This may be a newly created disk or a disk created before"
          + " content tracking was enabled.";

  private final Database database;
  private final Disks disks;

  DiskRoutes(Database database, Disks disks) {
    this.database = database;
    this.disks = disks;
  }

  List<Route> routes() {
    String one = PATH + "/{name}";
    return List.of(
        change("POST", PATH, this::create),
        read(PATH, this::list),
        read(one, this::get),
        change("DELETE", one, this::delete),
        read(one + "/operations/{operation}", this::operation),
        change("POST", one + "/rename", this::rename),
        read(one + "/content", this::content),
        read(one + "/snapshots", this::snapshots),
        change("POST", one + "/snapshot", this::snapshot),
        change("POST", one + "/undelete", this::undelete),
        change("POST", one + "/clone", this::copy));
  }

  private static Route read(String path, Function<Request, Reply> work) {
    return Route.get(path, work).needing(Action.DISK_READ);
  }

  private static Route change(String method, String path, Function<Request, Reply> work) {
    return new Route(method, path, Route.Access.CALLER, new Route.Handler.Plain(work))
        .needing(Action.DISK_WRITE);
  }

  // --- requests ---

  private static String name(Request request) {
    return request.pathParameters().getOrDefault("name", "");
  }

  private Disk find(Request request) {
    String name = name(request);
    if (!Disks.NAME.matcher(name).matches()) {
      throw new Halt(GpudevErrors.error(404, "Disk '" + GpudevErrors.quoted(name) + "' not found"));
    }
    try {
      return disks.get(request.caller(), name);
    } catch (Refused no) {
      throw no.refusal() instanceof Refusal.NotFound
          ? new Halt(GpudevErrors.error(404, "Disk '" + GpudevErrors.quoted(name) + "' not found"))
          : no;
    }
  }

  private static String named(String name) {
    if (!Disks.NAME.matcher(name).matches()) {
      throw new Halt(GpudevErrors.error(400, NAMED));
    }
    return name;
  }

  /** In a transaction of its own; whoever comes at the same moment with the same name is second. */
  private <T> T change(String name, Function<Tx, T> work) {
    try {
      return database.tx(work);
    } catch (Duplicate sameMoment) {
      throw new Halt(GpudevErrors.error(409, "Disk '" + name + "' already exists"));
    }
  }

  private static Reply queued(Disk disk, String message) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("operation_id", disk.operation().id().toString());
    body.put("disk_name", disk.name());
    body.put("action", word(disk.operation().kind()));
    body.put("message", message);
    body.put("requested_at", GpudevJson.timeWithOffset(disk.operation().askedAt()));
    return GpudevJson.reply(200, body);
  }

  private static String word(Operation.Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  private Reply create(Request request) {
    Model body = Model.of(request);
    Optional<String> asked = body.requiredText("disk_name");
    Optional<Integer> gb = body.integer("size_gb", GB_LEAST, GB_MOST);
    body.check();
    String name = named(asked.orElseThrow());
    Optional<Long> size = gb.map(number -> (long) number << GB_BITS);
    Disk disk = change(name, tx -> disks.create(tx, request.caller(), name, size));
    return queued(disk, "Disk creation request queued successfully");
  }

  private Reply delete(Request request) {
    Disk before = find(request);
    refuseUsed(before, "delete");
    Disk disk = change(before.name(), tx -> disks.delete(tx, request.caller(), before.name()));
    return queued(
        disk,
        "Disk deletion request queued successfully. Will be deleted on "
            + disk.deleteAt().map(GpudevJson::day).orElse(""));
  }

  private static void refuseUsed(Disk disk, String what) {
    disk.heldBy()
        .ifPresent(lease -> {
          throw new Halt(
              GpudevErrors.error(
                  409,
                  "Cannot "
                      + what
                      + " disk '"
                      + disk.name()
                      + "' - it is currently in use by reservation "
                      + lease));
        });
  }

  private Reply rename(Request request) {
    Model body = Model.of(request);
    Optional<String> asked = body.requiredText("new_name");
    body.check();
    String to = named(asked.orElseThrow());
    Disk before = find(request);
    String from = before.name();
    if (before.isDeleted()) {
      throw new Halt(
          GpudevErrors.error(410, "Cannot rename disk '" + from + "' - it is marked for deletion"));
    }
    refuseUsed(before, "rename");
    int snapshots = change(to, tx -> disks.rename(tx, request.caller(), from, to));
    Map<String, Object> answer = new LinkedHashMap<>();
    String end = snapshots == 0 ? "(no snapshots found)" : "(" + snapshots + " snapshots updated)";
    answer.put("message", "Disk renamed from '" + from + "' to '" + to + "' " + end);
    answer.put("old_name", from);
    answer.put("new_name", to);
    answer.put("snapshots_updated", snapshots);
    return GpudevJson.reply(200, answer);
  }

  private Reply undelete(Request request) {
    String name = find(request).name();
    Disk disk = change(name, tx -> disks.undelete(tx, request.caller(), name));
    return queued(disk, "Disk is kept");
  }

  private Reply snapshot(Request request) {
    Disk before = find(request);
    refuseDeleted(before);
    Disk disk = change(before.name(), tx -> disks.snapshot(tx, request.caller(), before.name()));
    return queued(disk, "Disk snapshot request queued successfully");
  }

  private Reply copy(Request request) {
    Model body = Model.of(request);
    Optional<String> asked = body.requiredText("new_name");
    body.check();
    String to = named(asked.orElseThrow());
    Disk before = find(request);
    refuseDeleted(before);
    Disk disk = change(to, tx -> disks.copy(tx, request.caller(), before.name(), to));
    return queued(disk, "Disk clone request queued successfully");
  }

  private static void refuseDeleted(Disk disk) {
    if (disk.isDeleted()) {
      throw new Halt(GpudevErrors.error(410, "Disk '" + disk.name() + "' is marked for deletion"));
    }
  }

  // --- looks ---

  private static Map<String, Object> view(Disk disk, String user) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("disk_name", disk.name());
    body.put("user_id", user);
    body.put("size_gb", disk.sizeBytes() >> GB_BITS);
    body.put("created_at", GpudevJson.timeWithOffset(disk.madeAt()));
    body.put("last_used", disk.lastUsedAt().map(GpudevJson::timeWithOffset).orElse(null));
    body.put("in_use", disk.heldBy().isPresent());
    body.put("reservation_id", disk.heldBy().map(Object::toString).orElse(null));
    body.put("is_backing_up", disk.backingUp());
    body.put("is_deleted", disk.isDeleted());
    body.put("snapshot_count", disk.snapshots());
    body.put("disk_size", size(disk.usedBytes()));
    disk.deleteAt().ifPresent(at -> body.put("delete_date", GpudevJson.day(at)));
    return body;
  }

  /** As {@code du -h} says it. */
  private static String size(long bytes) {
    double left = bytes;
    for (String unit : List.of("B", "K", "M", "G")) {
      if (left < 1024) {
        return String.format(
            Locale.ROOT, left < 10 && !unit.equals("B") ? "%.1f%s" : "%.0f%s", left, unit);
      }
      left /= 1024;
    }
    return String.format(Locale.ROOT, "%.1fT", left);
  }

  private Reply list(Request request) {
    List<Map<String, Object>> shown =
        disks.list(request.caller()).stream()
            .filter(disk -> !disk.isDeleted())
            .map(disk -> view(disk, request.caller().name()))
            .toList();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("disks", shown);
    body.put("total", shown.size());
    return GpudevJson.reply(200, body);
  }

  private Reply get(Request request) {
    return GpudevJson.reply(200, view(find(request), request.caller().name()));
  }

  private Reply operation(Request request) {
    Disk disk = find(request);
    String id = request.pathParameters().getOrDefault("operation", "");
    Operation last = disk.operation();
    if (!last.id().toString().equals(id)) {
      throw new Halt(
          GpudevErrors.error(
              404,
              "Operation '"
                  + GpudevErrors.quoted(id)
                  + "' not found for disk '"
                  + disk.name()
                  + "'"));
    }
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("operation_id", id);
    body.put("disk_name", disk.name());
    body.put("status", last.status().name().toLowerCase(Locale.ROOT));
    body.put("error", last.error().isEmpty() ? null : last.error());
    body.put("is_deleted", disk.isDeleted());
    body.put("delete_date", disk.deleteAt().map(GpudevJson::day).orElse(null));
    body.put("created_at", GpudevJson.timeWithOffset(disk.madeAt()));
    body.put("last_updated", GpudevJson.timeWithOffset(last.toldAt()));
    body.put("completed", last.status() != Operation.Status.QUEUED);
    return GpudevJson.reply(200, body);
  }

  private Reply content(Request request) {
    Disk disk = find(request);
    refuseDeleted(disk);
    Optional<Snapshot> newest =
        disks.snapshots(request.caller(), disk.name()).stream()
            .filter(one -> one.state() == Disk.State.READY)
            .findFirst();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("disk_name", disk.name());
    body.put("content", newest.map(Snapshot::content).orElse(null));
    body.put("s3_path", null);
    body.put(
        "snapshot_date", newest.map(one -> GpudevJson.timeWithOffset(one.madeAt())).orElse(null));
    body.put("message", newest.isPresent() ? null : NO_CONTENT);
    return GpudevJson.reply(200, body);
  }

  private Reply snapshots(Request request) {
    Disk disk = find(request);
    List<Map<String, Object>> all =
        disks.snapshots(request.caller(), disk.name()).stream().map(DiskRoutes::view).toList();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("snapshots", all);
    body.put("total", all.size());
    return GpudevJson.reply(200, body);
  }

  private static Map<String, Object> view(Snapshot snapshot) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("snapshot_id", snapshot.id().toString());
    body.put("disk_name", snapshot.diskName());
    body.put("type", snapshot.kind().name().toLowerCase(Locale.ROOT));
    body.put("state", snapshot.state().name().toLowerCase(Locale.ROOT));
    body.put("disk_size", size(snapshot.usedBytes()));
    body.put("created_at", GpudevJson.timeWithOffset(snapshot.madeAt()));
    return body;
  }
}
