package gpuaas.lease;

import gpuaas.archive.Archive;
import gpuaas.base.Caller;
import gpuaas.events.Event;
import gpuaas.lease.LeaseHistory.Trouble;
import gpuaas.lease.LeaseSignal.Answered;
import gpuaas.lease.LeaseSignal.CleanupForced;
import gpuaas.lease.LeaseSignal.Created;
import gpuaas.lease.LeaseSignal.Decline;
import gpuaas.lease.LeaseSignal.Declined;
import gpuaas.lease.LeaseSignal.FundsLow;
import gpuaas.lease.LeaseSignal.Gone;
import gpuaas.lease.LeaseSignal.Metered;
import gpuaas.lease.LeaseSignal.Placed;
import gpuaas.lease.LeaseSignal.ReclaimAsked;
import gpuaas.lease.LeaseSignal.RestartAsked;
import gpuaas.lease.LeaseSignal.StopAsked;
import gpuaas.lease.LeaseSignal.Troubled;
import gpuaas.lease.LeaseSignal.Warned;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Place;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.ledger.Evidence;
import gpuaas.ledger.Hold;
import gpuaas.ledger.Usage;
import gpuaas.spi.InstanceRef;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * The right to use some GPUs until an end.
 *
 * @param version counts the changes; a result is written only against the version it came from
 * @param apiKey the key that it was asked with
 * @param name a label of the user's
 * @param pricePerGpuHourMicros fixed when the lease was accepted
 * @param expires when it ends by itself; empty: never, or not known before it runs
 * @param correlationId of the request that made it
 */
public record Lease(
    UUID id,
    long version,
    UUID tenant,
    UUID project,
    UUID requestedBy,
    Optional<UUID> apiKey,
    LeaseSpec spec,
    Optional<String> name,
    LeaseState state,
    long pricePerGpuHourMicros,
    Instant createdAt,
    Optional<Instant> expires,
    LeaseHistory history,
    String correlationId) {

  /** A new lease: accepted, waiting for its place. */
  public static Change requested(
      UUID id,
      Caller caller,
      LeaseSpec spec,
      Optional<String> name,
      long pricePerGpuHourMicros,
      Instant now) {
    Lease lease =
        new Lease(
            id,
            0,
            caller.tenant(),
            caller.project(),
            caller.user(),
            caller.key().map(Caller.Key::id),
            spec,
            name,
            new Waiting(0),
            pricePerGpuHourMicros,
            now,
            spec.termFromRequest() ? spec.term().map(now::plus) : Optional.empty(),
            LeaseHistory.NONE,
            caller.correlationId());
    return new Change(
        lease, lease, List.of(lease.event(Event.Type.LEASE_REQUESTED, now, Map.of())), List.of());
  }

  /** The whole life, in one switch. Pure: no clock, no I/O. */
  public Change on(LeaseSignal signal, Instant now, LeaseRules rules) {
    record Case(LeaseState state, LeaseSignal signal) {}
    return switch (new Case(state, signal)) {
      case Case(Waiting w, Placed(Place place)) ->
          placed(new Provisioning(place, w.tries() + 1, now), now);
      case Case(Waiting w, Declined d) -> declined(w.tries(), d.why(), now, rules);
      case Case(Waiting _, StopAsked(EndReason why, _)) -> ended(why, now);

      case Case(Provisioning p, Created c) when c.attempt() == p.attempt() ->
          booting(new Booting(p.place(), p.attempt(), c.instance(), now), now);
      case Case(Provisioning p, Declined d) when d.attempt() == p.attempt() ->
          declined(p.attempt(), d.why(), now, rules);
      case Case(Provisioning p, StopAsked(EndReason why, _)) ->
          // The provider may still be making it: nothing is certain before it had time to show.
          stopping(
              new Stopping(Optional.empty(), p.attempt(), why, now, p.since().plus(rules.settle())),
              List.of(),
              now);

      case Case(Booting b, Answered a) -> running(b, a, now);
      case Case(Booting b, StopAsked(EndReason why, _)) ->
          stopping(quiet(b.instance(), b.attempt(), why, now), List.of(), now);
      case Case(Booting b, Gone _) ->
          stopping(quiet(b.instance(), b.attempt(), EndReason.LOST, now), List.of(), now);

      case Case(Running r, Metered _) -> metered(r, now);
      case Case(Running r, StopAsked stop) ->
          stopping(
              quiet(r.instance(), r.attempt(), stop.why(), now),
              Change.usage(
                  this, r, now, Evidence.stopAsked(stop.why().text(), stop.correlationId(), now)),
              now);
      case Case(Running r, RestartAsked restart) -> restarting(r, restart, now);
      case Case(Booting _, RestartAsked _) when history.restarts() > 0 -> unchanged();
      case Case(Running r, Gone _) ->
          // Charged up to when it was last seen. Spot capacity was taken back; the rest is lost.
          stopping(
              quiet(
                  r.instance(),
                  r.attempt(),
                  spec.want().mayBeTakenBack() ? EndReason.RECLAIMED : EndReason.LOST,
                  now),
              List.of(),
              now);

      case Case(Running _, ReclaimAsked(Instant at)) -> reclaiming(at, now);
      case Case(Booting _, ReclaimAsked(Instant at)) when history.readyAt().isPresent() ->
          reclaiming(at, now);
      // Nobody is in it yet who would have to be told.
      case Case(Provisioning _, ReclaimAsked _), Case(Booting _, ReclaimAsked _) ->
          on(new StopAsked(EndReason.RECLAIMED), now, rules);
      case Case(Running _, FundsLow low) ->
          told(
              with(state, expires),
              Event.Type.LEASE_FUNDS_LOW,
              Map.of("what", low.what(), "seconds_left", Long.toString(low.secondsLeft())),
              now);

      case Case(Running _, Troubled(Trouble what)) -> troubled(what, now);
      case Case(Booting _, Troubled(Trouble what)) -> troubled(what, now);
      case Case(Stopping _, Troubled(Trouble what)) -> troubled(what, now);
      case Case(Running _, Warned warned) -> warned(warned, now);
      case Case(LeaseState s, Warned w) when s.isOver() && w.isOfPast() -> warned(w, now);
      case Case(Stopping s, Created c) when c.attempt() == s.attempt() && s.instance().isEmpty() ->
          // The maker heard back after all: nothing else can turn up from this attempt.
          quietly(new Stopping(Optional.of(c.instance()), s.attempt(), s.why(), s.since(), now));
      case Case(Stopping s, Declined d) when d.attempt() == s.attempt() && s.instance().isEmpty() ->
          quietly(new Stopping(s.instance(), s.attempt(), s.why(), s.since(), now));
      case Case(Stopping s, Gone _) when !now.isBefore(s.quietFrom()) -> ended(s.why(), now);
      case Case(Stopping s, CleanupForced forced) ->
          ended(forced.verifiedAbsent() ? s.why() : EndReason.CLEANUP_UNPROVEN, now);
      case Case(Stopping _, StopAsked _) when history.trouble().takesTooLong() ->
          troubled(history.trouble().stopAskedAgain(now), now);
      case Case(Stopping _, StopAsked _), Case(Stopping _, Gone _), Case(Ended _, StopAsked _) ->
          unchanged();

      default -> throw new LeaseSignal.Illegal(this, signal);
    };
  }

  /** Charged up to the request, and not again before it answers. */
  private Change restarting(Running r, RestartAsked restart, Instant now) {
    Booting anew = new Booting(r.place(), r.attempt(), r.instance(), now);
    Lease after = copy(name, anew, expires, history.restarted());
    Evidence end = Evidence.stopAsked("restart", restart.correlationId(), now);
    List<Usage> usage = Change.usage(this, r, now, end);
    return changed(after, Event.Type.LEASE_RESTARTING, Map.of(), usage, now);
  }

  private Change reclaiming(Instant at, Instant now) {
    if (history.reclaimAt().isPresent()) {
      return unchanged();
    }
    return told(
        copy(name, state, expires, history.reclaimed(at)),
        Event.Type.LEASE_RECLAIMING,
        Map.of("at", at.toString()),
        now);
  }

  /** From when it was last seen whole until it is again, nothing is charged. */
  private Change troubled(Trouble what, Instant now) {
    Trouble before = history.trouble();
    if (what.equals(before)) {
      return unchanged();
    }
    boolean other = !what.lostGpus().equals(before.lostGpus());
    LeaseState next = state instanceof Running r && other ? r.meteredTo(now) : state;
    Lease after = copy(name, next, expires, history.troubled(what));
    return told(after, what.news(before), what.details(), now);
  }

  private Change warned(Warned warned, Instant now) {
    LeaseSignal.Warning what = warned.warning();
    if (history.told().contains(what)) {
      return unchanged();
    }
    Lease after = copy(name, state, expires, what.once() ? history.told(what) : history);
    return told(after, what.type(), warned.details(), now);
  }

  private Change declined(int tries, Decline why, Instant now, LeaseRules rules) {
    boolean mayPass = why.mayPass() && now.isBefore(createdAt.plus(spec.patience()));
    boolean fails = spec.whenFull() == LeaseSpec.WhenFull.FAIL && !mayPass;
    if (fails || spec.gang().isPresent()) { // one of a gang is of no use alone
      return ended(why.isNoRoom() ? EndReason.NO_CAPACITY : EndReason.DECLINED, now);
    }
    // A rejection is of the request itself, such as an image that does not exist: waiting cannot
    // help.
    if (why == Decline.REJECTED || tries >= rules.triesMost()) {
      return ended(EndReason.DECLINED, now);
    }
    Lease after = with(new Waiting(tries), expires);
    return told(
        after,
        Event.Type.LEASE_DECLINED,
        Map.of("reason", why.name().toLowerCase(java.util.Locale.ROOT)),
        now);
  }

  private Change placed(Provisioning next, Instant now) {
    Map<String, String> details =
        Map.of(
            "provider", next.place().offer().provider(),
            "offer", next.place().offer().id(),
            "node", next.place().node(),
            "attempt", Integer.toString(next.attempt()));
    return told(with(next, expires), Event.Type.LEASE_PLACED, details, now);
  }

  private Change booting(Booting next, Instant now) {
    Map<String, String> details = Map.of("instance", next.instance().id());
    return told(with(next, expires), Event.Type.LEASE_BOOTING, details, now);
  }

  private Change running(Booting b, Answered a, Instant now) {
    Running next = new Running(b.place(), b.attempt(), b.instance(), a.ssh(), now, now);
    boolean known = spec.termFromRequest() || history.readyAt().isPresent();
    Optional<Instant> end = known ? expires : spec.term().map(now::plus);
    Lease after = with(next, end);
    return told(after, Event.Type.LEASE_RUNNING, Map.of(), now);
  }

  private Change metered(Running r, Instant now) {
    List<Usage> usage = Change.usage(this, r, now, Evidence.inspected(r.instance(), now));
    if (usage.isEmpty()) {
      return unchanged();
    }
    return new Change(this, with(r.meteredTo(now), expires), List.of(), usage);
  }

  private static Stopping quiet(InstanceRef instance, int attempt, EndReason why, Instant now) {
    return new Stopping(Optional.of(instance), attempt, why, now, now);
  }

  private Change stopping(Stopping next, List<Usage> usage, Instant now) {
    Map<String, String> details = Map.of("reason", next.why().text());
    return changed(with(next, expires), Event.Type.LEASE_STOPPING, details, usage, now);
  }

  private Change ended(EndReason why, Instant now) {
    return told(
        with(new Ended(why, now), expires),
        Event.Type.LEASE_ENDED,
        Map.of("reason", why.text()),
        now);
  }

  private Change quietly(LeaseState next) {
    return new Change(this, with(next, expires), List.of(), List.of());
  }

  private Change unchanged() {
    return new Change(this, this, List.of(), List.of());
  }

  private Change changed(
      Lease after, Event.Type type, Map<String, String> details, List<Usage> usage, Instant now) {
    return new Change(this, after, List.of(after.event(type, now, details)), usage);
  }

  private Change told(Lease after, Event.Type type, Map<String, String> details, Instant now) {
    return changed(after, type, details, List.of(), now);
  }

  private Event event(Event.Type type, Instant now, Map<String, String> details) {
    return Event.of(type, id, project, version, now, correlationId, details);
  }

  private Lease with(LeaseState next, Optional<Instant> newExpires) {
    LeaseHistory after =
        switch (next) {
          case Provisioning p -> history.placed(p.place().offer());
          case Running r -> history.ready(r.since());
          case Waiting _, Booting _, Stopping _, Ended _ -> history;
        };
    return copy(name, next, newExpires, after);
  }

  private Lease copy(
      Optional<String> newName,
      LeaseState next,
      Optional<Instant> newExpires,
      LeaseHistory newHistory) {
    return new Lease(
        id,
        version + 1,
        tenant,
        project,
        requestedBy,
        apiKey,
        spec,
        newName,
        next,
        pricePerGpuHourMicros,
        createdAt,
        newExpires,
        newHistory,
        correlationId);
  }

  /** How far it is, as lists go by it. */
  public LeaseState.Phase phase() {
    return LeaseState.Phase.of(state, history.dismissedAt().isPresent());
  }

  /** The same under another name; nothing is told. */
  public Change renamed(Optional<String> newName) {
    Lease after = name.equals(newName) ? this : copy(newName, state, expires, history);
    return new Change(this, after, List.of(), List.of());
  }

  /** It ends later, or sooner. Whoever was warned of the end before is warned again. */
  public Change endingAt(Instant end, Instant now) {
    if (state.isOver() || expires.filter(end::equals).isPresent()) {
      return unchanged();
    }
    Lease after = copy(name, state, Optional.of(end), history.endMoved());
    return told(after, Event.Type.LEASE_EXTENDED, Map.of("at", end.toString()), now);
  }

  /** A failed lease is cleared away: it stays as it is, and says that it was seen. */
  public Change dismissed(Instant now) {
    boolean failed = phase() == LeaseState.Phase.FAILED;
    if (!failed || history.dismissedAt().isPresent()) {
      return unchanged();
    }
    Lease after = copy(name, state, expires, history.dismissed(now));
    return told(after, Event.Type.LEASE_DISMISSED, Map.of(), now);
  }

  /** For whom its files are kept; empty: they end with it. */
  Optional<Archive.Owner> keeper() {
    return spec.keep().map(kept -> new Archive.Owner(id, project, kept));
  }

  /** Who pays. */
  Hold.Owner owner() {
    return new Hold.Owner(id, tenant, project, apiKey);
  }

  /** What it costs for each hour, all GPUs together. */
  public long pricePerHourMicros() {
    return pricePerGpuHourMicros * spec.want().gpuCount();
  }

  /** What its environment calls itself, and a second name to log in with. */
  public String hostName() {
    return "lease-" + id.toString().substring(24);
  }

  /** True when it was told that it is taken back, and its time is over. */
  public boolean isReclaimDue(Instant now) {
    return !state.isOver() && history.reclaimAt().map(at -> !now.isBefore(at)).orElse(false);
  }

  /** True when its end has come and it is not ending yet. */
  public boolean isOverdue(Instant now) {
    return !state.isOver() && closes().map(end -> !now.isBefore(end)).orElse(false);
  }

  /** When it is stopped: at its end and the grace after it. */
  Optional<Instant> closes() {
    return expires.map(end -> end.plus(spec.ending().grace()));
  }
}
