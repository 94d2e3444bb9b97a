package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.db.DatabaseGone;
import gpuaas.events.Event;
import gpuaas.events.EventFeed;
import gpuaas.events.EventFeed.Entry;
import gpuaas.events.EventFeed.Filter;
import gpuaas.events.EventFeed.Part;
import gpuaas.gpuaas.GpuaasEvents.EventView;
import gpuaas.http.Json;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.http.StreamPlaces;
import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Events to follow along: page by page from a cursor, or as they happen. */
final class EventRoutes {

  private static final Logger log = LoggerFactory.getLogger(EventRoutes.class);
  private static final String PATH = "/api/v1/events";
  private static final int PAGE_MOST = 200;
  private static final int STREAMED_AT_ONCE = 100;

  private final EventFeed feed;
  private final EventStreamRules rules;
  private final Function<Request, Caller> authenticate;
  private final StreamPlaces places;

  /**
   * @param authenticate asks again who the caller of a request is
   */
  EventRoutes(EventFeed feed, EventStreamRules rules, Function<Request, Caller> authenticate) {
    this.feed = feed;
    this.rules = rules;
    this.places = new StreamPlaces(rules.most(), rules.mostPerCaller());
    this.authenticate = authenticate;
  }

  List<Route> routes() {
    return List.of(
        Route.get(PATH, this::list).needing(Action.EVENT_READ),
        Route.get(PATH + "/stream", this::stream).needing(Action.EVENT_READ));
  }

  private record EventPage(List<EventView> items, String nextCursor, boolean hasMore) {}

  private Reply list(Request request) {
    int limit = request.queryInteger("limit", 50, 1, PAGE_MOST);
    Part part = feed.read(request.caller(), request.query("after"), filter(request), limit);
    List<EventView> items =
        part.entries().stream().map(entry -> EventView.of(entry.event())).toList();
    return Reply.json(200, new EventPage(items, part.next(), part.more()));
  }

  private static Filter filter(Request request) {
    Set<Event.Type> types = EnumSet.noneOf(Event.Type.class);
    for (String name : request.query("types").orElse("").split(",", 100)) {
      if (!name.isBlank()) {
        types.add(
            GpuaasEvents.type(name.strip())
                .orElseThrow(
                    () -> invalid("types", "must be types of events with commas between them")));
      }
    }
    return new Filter(types, request.query("lease_id").map(EventRoutes::id));
  }

  private static UUID id(String text) {
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException e) {
      throw invalid("lease_id", "is not an id");
    }
  }

  private static Refused invalid(String field, String problem) {
    return new Refused(Refusal.Invalid.field(field, problem));
  }

  private Reply stream(Request request) {
    Caller caller = request.caller();
    Filter filter = filter(request);
    String from =
        request
            .header("last-event-id")
            .or(() -> request.query("last_event_id"))
            .or(() -> request.query("after"))
            .orElseGet(() -> feed.end(caller));
    feed.read(caller, Optional.of(from), filter, 1); // says no before the stream begins
    if (request.method().equals("HEAD")) {
      return Reply.text(200, "text/event-stream", "");
    }
    places
        .enter(caller.user())
        .ifPresent(no -> {
          throw new Refused(new Refusal.BudgetExceeded(no));
        });
    return Reply.stream("text/event-stream", out -> follow(request, from, filter, out))
        .with("Cache-Control", "no-store")
        .with("X-Accel-Buffering", "no");
  }

  /** The stream until its client goes, may not listen any more, or the server stops. */
  private void follow(Request request, String from, Filter filter, Reply.Out out)
      throws IOException, InterruptedException {
    Caller caller = request.caller();
    try (EventFeed.Following following = feed.follow(caller)) {
      String at = from;
      out.send(beat(at));
      long sent = System.nanoTime();
      long checked = sent;
      while (true) {
        Part part = feed.read(caller, Optional.of(at), filter, STREAMED_AT_ONCE);
        at = part.next();
        if (!part.entries().isEmpty()) {
          out.send(text(part.entries()));
          sent = System.nanoTime();
        }
        if (!part.more()) {
          var _ = following.await(shorter(rules.heartbeat(), rules.recheckEvery()));
        }
        if (isOver(sent, rules.heartbeat())) {
          out.send(beat(at));
          sent = System.nanoTime();
        }
        if (isOver(checked, rules.recheckEvery())) {
          var _ = authenticate.apply(request);
          checked = System.nanoTime();
        }
      }
    } catch (Refused e) {
      log.debug("a stream ends: {}", e.refusal());
    } catch (DatabaseGone e) {
      log.warn("a stream ends, the database is away: {}", e.getMessage());
    } finally {
      places.leave(caller.user());
    }
  }

  /** Shows that we are here, and where to go on from although nothing was told. */
  private static String beat(String cursor) {
    return ": here\nid: " + cursor + "\n\n";
  }

  private static String text(List<Entry> entries) {
    StringBuilder text = new StringBuilder();
    for (Entry entry : entries) {
      text.append("id: ").append(entry.cursor());
      text.append("\nevent: ").append(entry.event().type().text());
      text.append("\ndata: ").append(Json.write(EventView.of(entry.event()))).append("\n\n");
    }
    return text.toString();
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  private static boolean isOver(long since, Duration pause) {
    return System.nanoTime() - since >= pause.toNanos();
  }
}
