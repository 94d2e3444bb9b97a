package gpuaas.gpudev;

import gpuaas.access.Guest;
import gpuaas.access.Guests;
import gpuaas.access.SshKeys;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.catalog.Gang;
import gpuaas.command.Command;
import gpuaas.command.Commands;
import gpuaas.db.Database;
import gpuaas.db.Duplicate;
import gpuaas.disk.Disks;
import gpuaas.gpudev.GpudevDialect.GpudevSettings;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.gpudev.wire.GpudevJson;
import gpuaas.gpudev.wire.Query;
import gpuaas.http.Halt;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseListStore;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.Leases;
import gpuaas.operation.MessageNumbers;
import gpuaas.queue.Gangs.Member;
import gpuaas.web.Web;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/** Jobs: submit, look, list. */
final class JobRoutes {

  static final String PATH = "/v1/jobs";
  private static final int KEYS_MOST = 100;
  private static final int LIMIT = 50;
  private static final int LIMIT_MOST = 500;
  private static final Set<String> LIVING = Set.of("waiting", "provisioning", "booting", "running");

  private final GpudevSettings settings;
  private final Database database;
  private final Leases leases;
  private final SshKeys sshKeys;
  private final Guests guests;
  private final Disks disks;
  private final Commands commands;
  private final Extensions extensions;
  private final EarlyCancels earlyCancels;
  private final Jobs jobs;
  private final JobGangs gangs;
  private final WebJobs webJobs;
  private final Ids ids;
  private final InstantSource clock;

  JobRoutes(
      GpudevDialect.Parts parts, Jobs jobs, Extensions extensions, EarlyCancels earlyCancels) {
    this.earlyCancels = earlyCancels;
    this.settings = parts.settings();
    this.database = parts.database();
    this.leases = parts.leases();
    this.sshKeys = parts.sshKeys();
    this.guests = parts.guests();
    this.disks = parts.disks();
    this.commands = parts.commands();
    this.ids = parts.ids();
    this.clock = parts.clock();
    this.jobs = jobs;
    this.gangs = new JobGangs(parts.database());
    this.webJobs = parts.web();
    this.extensions = extensions;
  }

  List<Route> routes() {
    return List.of(
        new Route(
                "POST",
                PATH + "/submit",
                Route.Access.CALLER,
                new Route.Handler.Plain(this::submit))
            .needing(Action.LEASE_CREATE),
        Route.get(PATH, this::list).needing(Action.LEASE_READ),
        Route.get(PATH + "/{id}", this::get).needing(Action.LEASE_READ));
  }

  // --- submit ---

  private Reply submit(Request request) {
    Caller caller = request.caller();
    JobRequest asked = JobRequest.of(request, settings.defaultImage(), ids.next());
    UUID id = asked.shownId().map(text -> Jobs.leaseId(caller, text)).orElse(asked.id());
    if (asked.priority() > settings.priorityMost() && !caller.isAdmin()) {
      throw new Halt(
          GpudevErrors.error(
              403,
              "PRIORITY may be at most "
                  + settings.priorityMost()
                  + " for you; below that it lets others go first"));
    }
    long number;
    try {
      number = submit(caller, asked, id);
    } catch (Duplicate sameMoment) {
      number = submit(caller, asked, id); // the same came twice at once: it is there now
    }
    if (earlyCancels.take(caller, id, clock.instant())) {
      database.run(tx -> leases.stop(tx, caller, id, EndReason.ASKED));
    }
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("job_id", asked.shownId().orElse(id.toString()));
    body.put("status", "queued");
    body.put("message", "Job submitted successfully to queue (message ID: " + number + ")");
    body.put("estimated_start_time", null);
    return GpudevJson.reply(200, body);
  }

  /** The same id again by the same caller is the same job. */
  private long submit(Caller caller, JobRequest asked, UUID id) {
    Optional<JobGangs.Told> told = JobGangs.told(asked.variables(), asked.name());
    return database.tx(tx -> {
      Optional<Lease> there = leases.find(tx, id);
      if (there.isPresent() && !there.get().project().equals(caller.project())) {
        throw new Halt(GpudevErrors.error(409, "Job " + id + " already exists"));
      }
      if (there.isEmpty()) {
        List<UUID> keys = sshKeys.own(tx, caller, KEYS_MOST);
        HomeDisk home = HomeDisk.of(tx, caller, asked, disks);
        LeaseSpec spec = JobSpecs.of(asked, keys, home.disk(), home.warning(), settings);
        Optional<Gang> gang = told.map(it -> JobGangs.join(tx, caller, id, it, clock.instant()));
        Lease lease = leases.request(tx, caller, id, gang.map(spec::in).orElse(spec), asked.name());
        webJobs.submitted(tx, caller, lease, asked);
        if (!asked.githubUser().isEmpty()) {
          var _ = guests.add(tx, id, asked.githubUser(), true);
        }
      }
      return MessageNumbers.next(tx);
    });
  }

  // --- look ---

  private Reply get(Request request) {
    Caller caller = request.caller();
    String text = request.pathParameters().getOrDefault("id", "");
    Lease lease = jobs.find(caller, text, "You can only view your own jobs");
    return GpudevJson.reply(200, view(caller, lease, beside(List.of(lease)), true));
  }

  /** What is kept beside leases, of several at once. */
  private record Beside(
      List<Guest> guests, List<Command> commands, List<Member> members, Map<UUID, Web> web) {}

  private Beside beside(List<Lease> shown) {
    List<UUID> ids = shown.stream().map(Lease::id).toList();
    return new Beside(guests.of(ids), commands.of(ids), gangs.members(shown), webJobs.of(ids));
  }

  private Map<String, Object> view(Caller caller, Lease lease, Beside beside, boolean look) {
    JobView.Around around =
        new JobView.Around(
            caller.name(),
            extensions.shown(lease.id(), clock.instant(), look),
            extensions.error(lease.id()),
            look ? leases.delay(lease) : Optional.empty(),
            beside.guests().stream()
                .filter(
                    guest -> guest.lease().equals(lease.id()) && !guest.owner() && guest.mayEnter())
                .map(Guest::name)
                .toList(),
            beside.commands().stream()
                .filter(command -> command.lease().equals(lease.id()))
                .findFirst(),
            webJobs,
            Optional.ofNullable(beside.web().get(lease.id())));
    Map<String, Object> body = JobView.of(lease, around, clock.instant());
    JobGangs.describe(body, lease, beside.members());
    return body;
  }

  // --- list ---

  private Reply list(Request request) {
    Query query = Query.of(request);
    int limit = query.integer("limit", LIMIT, 1, LIMIT_MOST);
    int offset = query.integer("offset", 0, 0, Integer.MAX_VALUE);
    query.check();
    Caller caller = request.caller();
    LeaseListStore.Part part =
        leases.list(caller, standing(request.query("status").orElse("")), offset, limit);
    Beside beside = beside(part.leases());
    Map<String, Object> body = new LinkedHashMap<>();
    body.put(
        "jobs", part.leases().stream().map(lease -> view(caller, lease, beside, false)).toList());
    body.put("total", part.total());
    body.put("limit", limit);
    body.put("offset", offset);
    return GpudevJson.reply(200, body);
  }

  /** What the words mean; an unknown one means nothing, none at all everything. */
  private static LeaseListStore.Standing standing(String words) {
    if (words.isBlank()) {
      return new LeaseListStore.Standing(LIVING, Set.of(EndReason.values()));
    }
    Set<String> asked =
        Arrays.stream(words.split(",", 100)).map(String::strip).collect(Collectors.toSet());
    Set<String> states = new HashSet<>();
    if (asked.contains("queued") || asked.contains("pending")) {
      states.add("waiting");
    }
    if (asked.contains("preparing")) {
      states.addAll(Set.of("provisioning", "booting"));
    }
    if (asked.contains("active")) {
      states.add("running");
    }
    Set<EndReason> reasons =
        Arrays.stream(EndReason.values())
            .filter(why -> asked.contains(JobView.status(why)))
            .collect(Collectors.toSet());
    return new LeaseListStore.Standing(states, reasons);
  }
}
