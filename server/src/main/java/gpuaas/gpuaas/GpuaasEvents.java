package gpuaas.gpuaas;

import gpuaas.db.Tx;
import gpuaas.events.Event;
import gpuaas.events.WebhookVoice;
import gpuaas.http.Json;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;

/** Events in this dialect's words: the same in the feed, in the stream and in webhooks. */
public final class GpuaasEvents implements WebhookVoice {

  static final String VOICE = "gpuaas";

  private static final String PROBE = "webhook.probe";
  private static final Map<String, Event.Type> TYPES =
      Arrays.stream(Event.Type.values())
          .collect(Collectors.toUnmodifiableMap(Event.Type::text, type -> type));

  /** What became true of an allocation; a trial is about none. */
  record EventView(
      String id,
      String type,
      Instant createdAt,
      Optional<UUID> allocationId,
      Optional<UUID> projectId,
      Optional<Long> sequence,
      Optional<String> correlationId,
      Map<String, String> details) {

    static EventView of(Event event) {
      return new EventView(
          event.outsideId(),
          event.type().text(),
          event.at(),
          Optional.of(event.lease()),
          Optional.of(event.project()),
          Optional.of(event.sequence()),
          Optional.of(event.correlationId()),
          event.details());
    }
  }

  /** The type of a name; empty when there is none. */
  static Optional<Event.Type> type(String text) {
    return Optional.ofNullable(TYPES.get(text));
  }

  @Override
  public String name() {
    return VOICE;
  }

  @Override
  public String headerPrefix() {
    return "Gpuaas";
  }

  @Override
  public Set<String> types() {
    return TYPES.keySet();
  }

  @Override
  public Optional<Told> tell(Tx tx, Event event, String eventId) {
    return Optional.of(new Told(event.type().text(), Json.write(EventView.of(event))));
  }

  @Override
  public Told probe(String eventId, Instant at) {
    EventView trial =
        new EventView(
            eventId,
            PROBE,
            at,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Map.of());
    return new Told(PROBE, Json.write(trial));
  }
}
