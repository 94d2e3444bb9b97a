package gpuaas.shopper;

import gpuaas.base.Action;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseListStore;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.Leases;
import gpuaas.shopper.SessionCreation.Outcome;
import gpuaas.shopper.ShopperDialect.ShopperSettings;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/** Sessions: ask for one, look, list, extend, end. */
final class SessionRoutes {

  private static final String PATH = "/api/v1/sessions";
  private static final int LISTED_MOST = 10_000;
  private final SessionCreation creation;
  private final Database database;
  private final Leases leases;
  private final ShopperSettings settings;
  private final ShopperMetrics metrics;
  private final InstantSource clock;

  SessionRoutes(
      SessionCreation creation,
      Database database,
      Leases leases,
      ShopperSettings settings,
      ShopperMetrics metrics,
      InstantSource clock) {
    this.creation = creation;
    this.database = database;
    this.leases = leases;
    this.settings = settings;
    this.metrics = metrics;
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(
        new Route("POST", PATH, Route.Access.CALLER, new Route.Handler.Plain(this::create))
            .needing(Action.LEASE_CREATE),
        Route.get(PATH, this::list).needing(Action.LEASE_READ),
        Route.get(PATH + "/{id}", this::get).needing(Action.LEASE_READ),
        post("/done", this::done).needing(Action.LEASE_STOP),
        post("/extend", this::extend).needing(Action.LEASE_UPDATE),
        new Route(
                "DELETE",
                PATH + "/{id}",
                Route.Access.CALLER,
                new Route.Handler.Plain(this::delete))
            .needing(Action.LEASE_STOP),
        Route.get(PATH + "/{id}/diagnostics", this::diagnostics).needing(Action.LEASE_READ));
  }

  private static Route post(String end, java.util.function.Function<Request, Reply> work) {
    return new Route(
        "POST", PATH + "/{id}" + end, Route.Access.CALLER, new Route.Handler.Plain(work));
  }

  // --- create ---

  private Reply create(Request request) {
    SessionRequest asked = SessionRequest.of(request.body());
    return switch (creation.create(request.caller(), asked)) {
      case Outcome.Made made -> created(made);
      case Outcome.NoOffer _ ->
          ShopperErrors.error(
              404,
              "offer not found: " + ShopperErrors.quoted(asked.offerId()),
              request.correlationId());
      case Outcome.LittleDisk(DiskEstimate estimate) ->
          ShopperErrors.error(
              400,
              estimate.refusal(asked.diskGb()),
              estimate.details(asked.diskGb()),
              request.correlationId());
      case Outcome.Stale stale -> stale(stale, request.correlationId());
      case Outcome.Failed failed -> failed(failed, request.correlationId());
    };
  }

  private Reply created(Outcome.Made made) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("session", view(made.lease()));
    body.put("ssh_private_key", made.privateKey());
    if (made.retries() > 0) {
      body.put("retries_attempted", made.retries());
    }
    return ShopperJson.reply(201, body);
  }

  private Reply stale(Outcome.Stale stale, String correlationId) {
    String id = stale.offer().id();
    String provider = stale.offer().offer().provider();
    Map<String, Object> more = new LinkedHashMap<>();
    more.put("error_type", "stale_inventory");
    more.put("offer_id", id);
    more.put("provider", provider);
    more.put("retry_suggested", true);
    more.put(
        "message",
        "The selected offer is no longer available. Please refresh inventory and select a different"
            + " offer.");
    Instant now = clock.instant();
    more.put("alternatives", stale.next().stream().map(offer -> OfferView.of(offer, now)).toList());
    String text =
        "offer "
            + id
            + " from "
            + provider
            + " unavailable (stale inventory): it cannot be rented any more - consider retrying"
            + " with a different offer";
    return ShopperErrors.error(503, text, more, correlationId);
  }

  private static Reply failed(Outcome.Failed failed, String correlationId) {
    Map<String, Object> more = new LinkedHashMap<>();
    more.put("error_type", "provision_failed");
    more.put("retry_suggested", true);
    String text =
        "failed to create instance: " + failed.offer().offer().provider() + " " + failed.why();
    return ShopperErrors.error(500, text, more, correlationId);
  }

  // --- look ---

  private SessionView view(Lease lease) {
    return SessionView.of(lease, Optional.empty());
  }

  private record Page(List<SessionView> sessions, int count) {}

  private Reply list(Request request) {
    Optional<LeaseListStore.Filter> filter = filter(request);
    int limit = limit(request);
    if (filter.isEmpty()) {
      return ShopperJson.reply(200, new Page(List.of(), 0)); // of a status that there is not
    }
    List<Lease> found = leases.list(request.caller(), filter.get(), limit);
    Map<String, String> children = children(request, found);
    List<SessionView> page =
        found.stream()
            .map(lease ->
                SessionView.of(lease, Optional.ofNullable(children.get(lease.id().toString()))))
            .toList();
    return ShopperJson.reply(200, new Page(page, page.size()));
  }

  private static int limit(Request request) {
    Optional<String> text = Queries.text(request, "limit");
    if (text.isEmpty()) {
      return LISTED_MOST;
    }
    if (!text.get().matches("[+-]?[0-9]{1,18}")) {
      throw new Refused(
          new Refusal.Unreadable(
              "strconv.ParseInt: parsing \""
                  + ShopperErrors.quoted(text.get())
                  + "\": invalid syntax"));
    }
    long limit = Long.parseLong(text.get());
    return limit <= 0 ? LISTED_MOST : (int) Math.min(limit, LISTED_MOST);
  }

  private static Optional<LeaseListStore.Filter> filter(Request request) {
    Optional<String> status = Queries.text(request, "status");
    Set<String> states =
        switch (status.orElse("")) {
          case "" -> Set.of();
          case "pending" -> Set.of("waiting");
          case "provisioning" -> Set.of("provisioning", "booting");
          case "running" -> Set.of("running");
          case "stopping" -> Set.of("stopping");
          case "stopped", "failed" -> Set.of("ended");
          default -> Set.of("none");
        };
    if (states.contains("none")) {
      return Optional.empty();
    }
    Optional<Boolean> failed =
        states.contains("ended") ? status.map("failed"::equals) : Optional.empty();
    return Optional.of(
        LeaseListStore.Filter.of(
            Queries.text(request, "consumer_id"),
            Set.of(),
            Queries.text(request, "provider"),
            states,
            failed));
  }

  /** The sessions that were asked for in place of these, by the id of these. */
  private Map<String, String> children(Request request, List<Lease> parents) {
    Set<String> ids =
        parents.stream()
            .filter(lease -> lease.spec().notes().containsKey(SessionSpecs.RETRIES_LEFT))
            .map(lease -> lease.id().toString())
            .collect(Collectors.toSet());
    Map<String, String> children = new HashMap<>();
    if (ids.isEmpty()) {
      return children;
    }
    LeaseListStore.Filter filter =
        LeaseListStore.Filter.of(
            Optional.empty(), ids, Optional.empty(), Set.of(), Optional.empty());
    leases
        .list(request.caller(), filter, LISTED_MOST)
        .forEach(child ->
            children.put(child.spec().notes().get(LeaseSpec.PARENT), child.id().toString()));
    return children;
  }

  private Reply get(Request request) {
    Lease lease = leases.get(request.caller(), request.id("id", Kind.LEASE));
    String id = lease.id().toString();
    return ShopperJson.reply(
        200, SessionView.of(lease, Optional.ofNullable(children(request, List.of(lease)).get(id))));
  }

  // --- end ---

  private Reply done(Request request) {
    UUID id = request.id("id", Kind.LEASE);
    Lease before = leases.get(request.caller(), id);
    refuseTerminal(before);
    if (!(before.state() instanceof Stopping) && !isEnded(request, id)) {
      return notVerified(before, request.correlationId());
    }
    return message("session shutdown initiated", request);
  }

  private Reply delete(Request request) {
    UUID id;
    Lease before;
    try {
      id = request.id("id", Kind.LEASE);
      before = leases.get(request.caller(), id);
    } catch (Refused no) {
      if (!(no.refusal() instanceof Refusal.NotFound)) {
        throw no;
      }
      String given = request.pathParameters().getOrDefault("id", "");
      return ShopperErrors.error(
          404, "session not found: " + ShopperErrors.quoted(given), request.correlationId());
    }
    if (!(before.state() instanceof Ended) && !isEnded(request, id)) {
      return notVerified(before, request.correlationId());
    }
    return message("session destroyed", request);
  }

  /** Asks it to end, and waits until nothing is left of it. */
  private boolean isEnded(Request request, UUID id) {
    database.run(tx -> leases.stop(tx, request.caller(), id, EndReason.ASKED));
    try {
      return leases.await(id, Ended.class::isInstance, settings.destroyWait()).state()
          instanceof Ended;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private Reply notVerified(Lease lease, String correlationId) {
    metrics.destroyFailed();
    String text =
        "failed to verify destruction of session "
            + lease.id()
            + " (provider: "
            + SessionView.provider(lease)
            + ") so far; it is being tried until it is done";
    return ShopperErrors.error(500, text, correlationId);
  }

  private static void refuseTerminal(Lease lease) {
    if (lease.state() instanceof Ended) {
      throw terminal(lease);
    }
  }

  private static Refused terminal(Lease lease) {
    return new Refused(
        new Refusal.WrongState(
            Kind.LEASE, lease.id().toString(), SessionView.status(lease.state()), "active"));
  }

  private static Reply message(String text, Request request) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("message", text);
    body.put("session_id", request.pathParameters().getOrDefault("id", ""));
    return ShopperJson.reply(200, body);
  }

  // --- extend ---

  private Reply extend(Request request) {
    UUID id = request.id("id", Kind.LEASE);
    GoFields fields = new GoFields("ExtendSessionRequest", request.body());
    int hours = fields.requiredInteger("additional_hours", 1, SessionRequest.HOURS_MOST);
    fields.check();
    Lease lease =
        database.tx(tx -> {
          Lease now = leases.get(tx, request.caller(), id);
          if (now.state().isOver()) {
            throw terminal(now);
          }
          return leases.endAt(tx, request.caller(), id, extended(now, hours));
        });
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("message", "session extended");
    body.put("session_id", request.pathParameters().getOrDefault("id", ""));
    lease.expires().ifPresent(end -> body.put("new_expires_at", ShopperJson.time(end)));
    return ShopperJson.reply(200, body);
  }

  private Instant extended(Lease lease, int hours) {
    Instant now = clock.instant();
    Instant end =
        lease
            .expires()
            .orElseThrow(
                () -> new Refused(new Refusal.Unreadable("this session has no end to extend")))
            .plus(Duration.ofHours(hours));
    if (end.isAfter(lease.createdAt().plus(settings.hardMaximum()))) {
      double run = Duration.between(lease.createdAt(), now).toSeconds() / 3600.0;
      throw new Refused(
          new Refusal.Unreadable(
              "extension would exceed "
                  + settings.hardMaximum().toHours()
                  + "-hour hard max: session "
                  + lease.id()
                  + " has been running for "
                  + String.format(java.util.Locale.ROOT, "%.1f", run)
                  + " hours, requested "
                  + hours
                  + " more hours"));
    }
    return end;
  }

  // --- diagnostics ---

  private Reply diagnostics(Request request) {
    Lease lease = leases.get(request.caller(), request.id("id", Kind.LEASE));
    return ShopperJson.reply(200, SessionView.diagnostics(lease, clock.instant()));
  }
}
