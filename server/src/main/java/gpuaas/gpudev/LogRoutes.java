package gpuaas.gpudev;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refused;
import gpuaas.command.Command;
import gpuaas.command.Commands;
import gpuaas.db.DatabaseGone;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.gpudev.wire.GpudevJson;
import gpuaas.gpudev.wire.Query;
import gpuaas.http.Halt;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.http.StreamPlaces;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState;
import gpuaas.lease.Leases;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * What the command of a job wrote: a part of it, or all of it as it comes. Ours; the original runs
 * no commands.
 */
final class LogRoutes {

  private static final int PART = 64 * 1024;
  private static final int PART_MOST = 1 << 20;
  private static final String HERE = ": here\n\n";
  private static final Duration LOOK_EVERY = Duration.ofMillis(300);
  private static final Duration HEARTBEAT = Duration.ofSeconds(15);

  private final Commands commands;
  private final Leases leases;
  private final Jobs jobs;
  private final StreamPlaces places;
  private final Function<Request, Caller> authenticate;

  /**
   * @param authenticate asks again who the caller of a request is
   */
  LogRoutes(GpudevDialect.Parts parts, Jobs jobs, Function<Request, Caller> authenticate) {
    this.authenticate = authenticate;
    this.commands = parts.commands();
    this.leases = parts.leases();
    this.jobs = jobs;
    this.places =
        new StreamPlaces(parts.settings().followsMost(), parts.settings().followsMostPerUser());
  }

  List<Route> routes() {
    return List.of(Route.get(JobRoutes.PATH + "/{id}/logs", this::logs).needing(Action.LEASE_READ));
  }

  private Reply logs(Request request) {
    Query query = Query.of(request);
    int offset = query.integer("offset", 0, 0, Integer.MAX_VALUE);
    int limit = query.integer("limit", PART, 1, PART_MOST);
    query.check();
    Caller caller = request.caller();
    Lease lease =
        jobs.find(
            caller,
            request.pathParameters().getOrDefault("id", ""),
            "You can only view your own jobs");
    String accepted = request.header("accept").orElse("");
    boolean follow =
        request.query("follow").map("true"::equalsIgnoreCase).orElse(false)
            || accepted.contains("text/event-stream");
    if (follow) {
      int from = request.header("last-event-id").map(LogRoutes::position).orElse(offset);
      return follow(request, lease.id(), from);
    }
    Command.Output part = commands.output(lease.id(), offset, limit);
    if (accepted.startsWith("text/plain")) {
      return Reply.text(200, "text/plain; charset=utf-8", text(part.bytes()));
    }
    return GpudevJson.reply(200, view(lease, part));
  }

  private static int position(String text) {
    try {
      return Math.max(0, Integer.parseInt(text));
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  private Map<String, Object> view(Lease lease, Command.Output part) {
    Optional<Command> command = commands.find(lease.id());
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("job_id", JobView.id(lease));
    body.put("command", lease.spec().command().map(one -> one.text()).orElse(null));
    body.put(
        "status",
        lease.spec().command().map(_ -> JobView.commandStatus(lease, command)).orElse(null));
    body.put("exit_code", command.flatMap(Command::exit).map(Command.Exit::code).orElse(null));
    body.put(
        "exited_at",
        command
            .flatMap(Command::exit)
            .map(exit -> GpudevJson.timeWithOffset(exit.at()))
            .orElse(null));
    body.put("offset", part.position());
    body.put("next_offset", part.end());
    body.put("total_bytes", command.map(Command::outputBytes).orElse(0L));
    body.put("truncated", command.map(commands::isFull).orElse(false));
    body.put("content", text(part.bytes()));
    command
        .map(Command::problem)
        .filter(problem -> !problem.isEmpty())
        .ifPresent(problem -> body.put("problem", problem));
    return body;
  }

  /** What is no text is shown as such. */
  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  // --- follow ---

  private Reply follow(Request request, UUID lease, int from) {
    UUID user = request.caller().user();
    places
        .enter(user)
        .ifPresent(no -> {
          throw new Halt(GpudevErrors.error(429, no + "; ask for the output without follow"));
        });
    return Reply.stream(
            "text/event-stream",
            out -> {
              try {
                follow(request, lease, from, out);
              } catch (DatabaseGone | Refused e) {
                // The stream ends; who may still listen goes on from the last id that came.
              } finally {
                places.leave(user);
              }
            })
        .with("Cache-Control", "no-store")
        .with("X-Accel-Buffering", "no");
  }

  /** Ends with the command, with the job, and with the right to see it. */
  private void follow(Request request, UUID lease, long from, Reply.Out out)
      throws IOException, InterruptedException {
    long at = from;
    long checked = System.nanoTime();
    out.send(HERE);
    while (true) {
      Lease now = leases.find(lease).orElseThrow();
      Optional<Command> command = commands.find(lease);
      Command.Output part = whole(commands.output(lease, at, PART));
      if (part.bytes().length > 0) {
        at = part.end();
        Map<String, Object> data = Map.of("offset", part.position(), "text", text(part.bytes()));
        out.send(event("output", at, data));
      } else if (isOver(now, command)) {
        out.send(event("end", at, end(now, command)));
        return;
      } else {
        TimeUnit.NANOSECONDS.sleep(LOOK_EVERY.toNanos());
      }
      if (System.nanoTime() - checked > HEARTBEAT.toNanos()) {
        var _ = authenticate.apply(request);
        out.send(HERE);
        checked = System.nanoTime();
      }
    }
  }

  /** Nothing more is to come. */
  private static boolean isOver(Lease lease, Optional<Command> command) {
    return lease.state() instanceof LeaseState.Ended
        || lease.spec().command().isEmpty()
        || command.flatMap(Command::exit).isPresent();
  }

  private static Map<String, Object> end(Lease lease, Optional<Command> command) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("status", JobView.commandStatus(lease, command));
    body.put("exit_code", command.flatMap(Command::exit).map(Command.Exit::code).orElse(null));
    return body;
  }

  private static String event(String name, long id, Map<String, Object> data) {
    return "event: " + name + "\nid: " + id + "\ndata: " + GpudevJson.write(data) + "\n\n";
  }

  /** Without the beginning of a character whose end has not come, unless that is all there is. */
  private static Command.Output whole(Command.Output part) {
    byte[] bytes = part.bytes();
    int begins = bytes.length;
    for (int back = 1; back <= Math.min(3, bytes.length); back++) {
      int one = bytes[bytes.length - back] & 0xFF;
      if (one >= 0xC0) {
        int length = one >= 0xF0 ? 4 : one >= 0xE0 ? 3 : 2;
        begins = length > back ? bytes.length - back : bytes.length;
        break;
      }
      if (one < 0x80) {
        break;
      }
    }
    return begins == 0 || begins == bytes.length
        ? part
        : new Command.Output(part.position(), Arrays.copyOf(bytes, begins));
  }
}
