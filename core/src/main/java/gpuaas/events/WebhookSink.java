package gpuaas.events;

import gpuaas.base.Ids;
import gpuaas.db.Tx;
import gpuaas.events.Webhook.Delivery;
import gpuaas.events.WebhookDeliveryStore.New;
import gpuaas.events.WebhookStore.Subscribed;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;

/** Makes a delivery for each endpoint that wants to hear of an event. */
final class WebhookSink implements EventSink {

  private final Ids ids;
  private final InstantSource clock;
  private final Map<String, WebhookVoice> voices;
  private final Runnable wake;

  WebhookSink(Ids ids, InstantSource clock, Map<String, WebhookVoice> voices, Runnable wake) {
    this.ids = ids;
    this.clock = clock;
    this.voices = voices;
    this.wake = wake;
  }

  @Override
  public void take(Tx tx, List<Fed> events) {
    List<UUID> projects = events.stream().map(fed -> fed.event().project()).distinct().toList();
    Map<UUID, List<Subscribed>> subscribed =
        WebhookStore.subscribed(tx, projects).stream()
            .collect(Collectors.groupingBy(Subscribed::project));
    List<New> deliveries = new ArrayList<>();
    for (Fed fed : events) {
      deliveries.addAll(
          deliveries(tx, fed, subscribed.getOrDefault(fed.event().project(), List.of())));
    }
    if (!deliveries.isEmpty()) {
      WebhookDeliveryStore.add(tx, deliveries);
      tx.afterCommit(wake);
    }
  }

  /** Each voice says it once, whoever listens. */
  private List<New> deliveries(Tx tx, Fed fed, List<Subscribed> listeners) {
    Event event = fed.event();
    Map<String, Optional<WebhookVoice.Told>> told = new HashMap<>();
    List<New> deliveries = new ArrayList<>();
    for (Subscribed listener : listeners) {
      Webhook webhook = listener.endpoint().webhook();
      WebhookVoice voice = voices.get(webhook.voice());
      if (voice == null || fed.number() <= listener.endpoint().afterNumber()) {
        continue;
      }
      told.computeIfAbsent(webhook.voice(), _ -> voice.tell(tx, event, event.outsideId()))
          .filter(words -> webhook.eventTypes().contains(words.type()))
          .ifPresent(words ->
              deliveries.add(
                  new New(
                      ids.next(),
                      webhook.id(),
                      Delivery.Kind.EVENT,
                      event.outsideId(),
                      words,
                      Optional.of(event.lease()),
                      Optional.of(event.sequence()),
                      clock.instant())));
    }
    return deliveries;
  }
}
