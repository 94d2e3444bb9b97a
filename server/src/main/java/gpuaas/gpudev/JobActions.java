package gpuaas.gpudev;

import gpuaas.access.Guests;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.gpudev.GpudevDialect.GpudevSettings;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.gpudev.wire.GpudevJson;
import gpuaas.gpudev.wire.Model;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState;
import gpuaas.lease.Leases;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BiFunction;

/** What is asked of a job that is there. All of it is promised first, and seen later. */
final class JobActions {

  private final GpudevSettings settings;
  private final Database database;
  private final Leases leases;
  private final Guests guests;
  private final Extensions extensions;
  private final EarlyCancels earlyCancels;
  private final Jobs jobs;
  private final InstantSource clock;

  JobActions(
      GpudevDialect.Parts parts, Jobs jobs, Extensions extensions, EarlyCancels earlyCancels) {
    this.earlyCancels = earlyCancels;
    this.settings = parts.settings();
    this.database = parts.database();
    this.leases = parts.leases();
    this.guests = parts.guests();
    this.clock = parts.clock();
    this.jobs = jobs;
    this.extensions = extensions;
  }

  List<Route> routes() {
    return List.of(
        action("/cancel", this::cancel).needing(Action.LEASE_STOP),
        action("/extend", this::extend).needing(Action.LEASE_UPDATE),
        action("/users", this::addUser).needing(Action.LEASE_UPDATE),
        new Route(
                "DELETE",
                JobRoutes.PATH + "/{id}/users/{name}",
                Route.Access.CALLER,
                new Route.Handler.Plain(this::removeUser))
            .needing(Action.LEASE_UPDATE));
  }

  private static Route action(String end, java.util.function.Function<Request, Reply> work) {
    return new Route(
        "POST", JobRoutes.PATH + "/{id}" + end, Route.Access.CALLER, new Route.Handler.Plain(work));
  }

  private Lease find(Request request, String what) {
    return jobs.find(
        request.caller(),
        request.pathParameters().getOrDefault("id", ""),
        "Not authorized to " + what + " this job");
  }

  private Reply requested(Request request, String action, BiFunction<Tx, Caller, String> work) {
    return Jobs.promise(database, request, action, work);
  }

  private Reply cancel(Request request) {
    // First: the job may come between the look and the note.
    Optional<UUID> whole = Jobs.whole(request.pathParameters().getOrDefault("id", ""));
    whole.ifPresent(id -> earlyCancels.remember(request.caller(), id, clock.instant()));
    Lease lease = find(request, "cancel");
    whole.ifPresent(id -> earlyCancels.take(request.caller(), id, clock.instant()));
    return requested(
        request,
        "cancel",
        (tx, caller) -> {
          if (!lease.state().isOver()) {
            leases.stop(tx, caller, lease.id(), EndReason.ASKED);
          }
          return "Cancellation request submitted";
        });
  }

  // --- extend ---

  private Reply extend(Request request) {
    Model body = Model.of(request);
    Optional<Integer> hours = body.requiredInteger("extension_hours", 1, JobRequest.HOURS_MOST);
    body.check();
    Lease lease = find(request, "extend");
    int more = hours.orElseThrow();
    return requested(
        request,
        "extend",
        (tx, caller) -> {
          extend(tx, caller, lease, Duration.ofHours(more));
          return "Extension request submitted for " + more + " hours";
        });
  }

  private void extend(Tx tx, Caller caller, Lease seen, Duration more) {
    Lease lease = leases.get(tx, caller, seen.id());
    Instant now = clock.instant();
    Optional<String> no = refusal(lease, more);
    if (no.isPresent()) {
      tx.afterCommit(() -> extensions.refused(lease.id(), no.get(), now));
      return;
    }
    Instant end = lease.expires().orElseThrow();
    leases.endAt(tx, caller, lease.id(), end.plus(more));
    Extensions.Shown before = new Extensions.Shown(end, JobView.term(lease));
    tx.afterCommit(() -> extensions.granted(lease.id(), before, now));
  }

  /** Why it cannot be extended so far. Only what runs has an end to move. */
  private Optional<String> refusal(Lease lease, Duration more) {
    if (!(lease.state() instanceof LeaseState.Running) || lease.expires().isEmpty()) {
      return Optional.of(
          "Job is "
              + JobView.status(lease.state())
              + "; only active jobs that have an end can be extended");
    }
    Instant launched = lease.history().readyAt().orElse(lease.createdAt());
    Duration total = Duration.between(launched, lease.expires().get().plus(more));
    if (total.compareTo(settings.totalMost()) > 0) {
      return Optional.of(
          "Extension would make it "
              + GpudevJson.hours(total)
              + " hours in all; at most "
              + settings.totalMost().toHours()
              + " are allowed");
    }
    return Optional.empty();
  }

  // --- users ---

  private Reply addUser(Request request) {
    Model body = Model.of(request);
    Optional<String> name = body.requiredText("github_username");
    body.check();
    Lease lease = find(request, "modify");
    String user = GpudevErrors.quoted(name.orElseThrow().strip());
    return requested(
        request,
        "add_user",
        (tx, _) -> {
          if (!user.isEmpty() && !lease.state().isOver()) {
            var _ = guests.add(tx, lease.id(), user, false);
          }
          return "Add user request submitted for GitHub user '" + user + "'";
        });
  }

  private Reply removeUser(Request request) {
    Lease lease = find(request, "modify");
    String user = GpudevErrors.quoted(request.pathParameters().getOrDefault("name", ""));
    return requested(
        request,
        "remove_user",
        (tx, _) -> {
          var _ = guests.remove(tx, lease.id(), user);
          return "Remove user request submitted for GitHub user '"
              + GpudevErrors.quoted(user)
              + "'";
        });
  }
}
