package gpuaas.gpudev;

import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.gpudev.wire.GpudevJson;
import gpuaas.http.Halt;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.lease.Lease;
import gpuaas.lease.Leases;
import gpuaas.operation.MessageNumbers;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.regex.Pattern;

/**
 * Finds jobs by what people type, an id or its beginning; and says that something was asked of one.
 */
final class Jobs {

  private static final int PREFIX_LENGTH_LEAST = 3;
  private static final int ID_LENGTH_MOST = 255;
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

  private final Leases leases;

  Jobs(Leases leases) {
    this.leases = leases;
  }

  /** The lease's id of a job whose id is no UUID: the same each time for the same caller. */
  static UUID leaseId(Caller caller, String id) {
    return UUID.nameUUIDFromBytes(
        ("job " + caller.project() + " " + id).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * The job that is meant.
   *
   * @param foreign what to say when it is somebody else's
   */
  Lease find(Caller caller, String text, String foreign) {
    if (!ID.matcher(text).matches() || text.length() > ID_LENGTH_MOST) {
      throw missing(text);
    }
    Optional<Lease> exact = uuid(text).flatMap(leases::find);
    if (exact.isEmpty()) {
      exact = leases.find(leaseId(caller, text));
    }
    if (exact.isPresent()) {
      return own(caller, exact.get(), foreign);
    }
    if (text.length() < PREFIX_LENGTH_LEAST) {
      throw missing(text);
    }
    List<Lease> found = leases.findByPrefix(caller, text);
    List<Lease> living = found.stream().filter(lease -> !lease.state().isOver()).toList();
    // Short ids are typed for what runs: an old job with the same beginning is not meant.
    List<Lease> meant = living.isEmpty() ? found : living;
    if (meant.isEmpty()) {
      throw missing(text);
    }
    if (meant.size() > 1) {
      throw new Halt(
          GpudevErrors.error(
              409,
              "Several jobs begin with " + text + "; type more of the id of the one you mean"));
    }
    return meant.getFirst();
  }

  /** An id that is no beginning of another. */
  static Optional<UUID> whole(String text) {
    return uuid(text);
  }

  private static Lease own(Caller caller, Lease lease, String foreign) {
    if (!lease.project().equals(caller.project())) {
      throw new Halt(GpudevErrors.error(403, foreign));
    }
    return lease;
  }

  private static Optional<UUID> uuid(String text) {
    try {
      UUID id = UUID.fromString(text);
      return id.toString().equalsIgnoreCase(text) ? Optional.of(id) : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static Refused missing(String text) {
    return new Refused(new Refusal.NotFound(Kind.LEASE, text));
  }

  /**
   * Does it, and says that it was asked for.
   *
   * @param work in one transaction with the number; what it says comes before that
   */
  static Reply promise(
      Database database, Request request, String action, BiFunction<Tx, Caller, String> work) {
    Map<String, Object> body = new LinkedHashMap<>();
    String message =
        database.tx(tx -> {
          String words = work.apply(tx, request.caller());
          return words + " (message ID: " + MessageNumbers.next(tx) + ")";
        });
    body.put("job_id", request.pathParameters().getOrDefault("id", ""));
    body.put("action", action);
    body.put("status", "requested");
    body.put("message", message);
    return GpudevJson.reply(200, body);
  }
}
