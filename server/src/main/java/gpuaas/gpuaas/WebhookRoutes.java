package gpuaas.gpuaas;

import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal.Kind;
import gpuaas.db.Tx;
import gpuaas.events.Webhook;
import gpuaas.events.Webhook.Delivery;
import gpuaas.events.Webhook.WithSecret;
import gpuaas.events.Webhooks;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;

/** Webhook endpoints and what was sent to them. */
final class WebhookRoutes {

  private static final String PATH = "/api/v1/webhook-endpoints";
  private static final String VOICE = GpuaasEvents.VOICE;
  private static final int URL_LENGTH_MOST = 2048;
  private static final int TYPES_MOST = 50;
  private static final int TYPE_LENGTH_MOST = 63;
  private static final int PAGE_MOST = 200;

  private final Webhooks webhooks;

  WebhookRoutes(Webhooks webhooks) {
    this.webhooks = webhooks;
  }

  List<Route> routes() {
    String one = PATH + "/{id}";
    return List.of(
        Route.get(PATH, this::list).needing(Action.WEBHOOK_READ),
        Route.once("POST", PATH, this::create).needing(Action.WEBHOOK_WRITE),
        Route.get(one, this::get).needing(Action.WEBHOOK_READ),
        Route.once("DELETE", one, this::delete).needing(Action.WEBHOOK_WRITE),
        Route.get(one + "/deliveries", this::deliveries).needing(Action.WEBHOOK_READ),
        Route.once("POST", one + "/deliveries/{delivery_id}/resend", this::resend)
            .needing(Action.WEBHOOK_WRITE),
        Route.once("POST", one + "/probe", this::probe).needing(Action.WEBHOOK_WRITE),
        Route.once("POST", one + "/rotate-secret", this::rotateSecret)
            .needing(Action.WEBHOOK_WRITE));
  }

  private record WebhookView(
      UUID id,
      String url,
      List<String> eventTypes,
      boolean enabled,
      Optional<Instant> disabledAt,
      Instant createdAt) {
    static WebhookView of(Webhook webhook) {
      return new WebhookView(
          webhook.id(),
          webhook.url(),
          webhook.eventTypes(),
          webhook.enabled(),
          webhook.disabledAt(),
          webhook.madeAt());
    }
  }

  private record WebhookWithSecretView(
      UUID id,
      String url,
      List<String> eventTypes,
      boolean enabled,
      Optional<Instant> disabledAt,
      Instant createdAt,
      String secret) {
    static WebhookWithSecretView of(WithSecret made) {
      Webhook webhook = made.webhook();
      return new WebhookWithSecretView(
          webhook.id(),
          webhook.url(),
          webhook.eventTypes(),
          webhook.enabled(),
          webhook.disabledAt(),
          webhook.madeAt(),
          made.secret());
    }
  }

  private record DeliveryView(
      UUID id,
      String kind,
      String eventId,
      String eventType,
      String status,
      int attempts,
      Optional<Instant> nextAttemptAt,
      Optional<Instant> lastAttemptAt,
      Optional<Integer> lastStatusCode,
      Optional<String> lastProblem,
      Instant createdAt) {
    static DeliveryView of(Delivery delivery) {
      return new DeliveryView(
          delivery.id(),
          lower(delivery.kind()),
          delivery.eventId(),
          delivery.eventType(),
          lower(delivery.state()),
          delivery.attempts(),
          delivery.dueAt(),
          delivery.lastAt(),
          delivery.lastStatus(),
          delivery.lastProblem(),
          delivery.madeAt());
    }

    private static String lower(Enum<?> word) {
      return word.name().toLowerCase(Locale.ROOT);
    }
  }

  private record WebhookPage(List<WebhookView> items, Optional<String> nextCursor) {}

  private record DeliveryPage(List<DeliveryView> items, Optional<String> nextCursor) {}

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, PAGE_MOST);
    Page<Webhook> page = webhooks.list(request.caller(), VOICE, request.cursorId(), limit);
    return Reply.json(
        200, new WebhookPage(page.items().stream().map(WebhookView::of).toList(), page.next()));
  }

  private Reply create(Request request, Tx tx) {
    Fields fields = request.fields();
    String url = fields.text("url", URL_LENGTH_MOST);
    List<String> types = fields.optionalTexts("event_types", TYPES_MOST, TYPE_LENGTH_MOST);
    fields.check();
    WithSecret made = webhooks.create(tx, request.caller(), VOICE, url, types);
    return Reply.json(201, WebhookWithSecretView.of(made))
        .with("Location", PATH + "/" + made.webhook().id());
  }

  private Reply get(Request request) {
    return Reply.json(
        200, WebhookView.of(webhooks.get(request.caller(), VOICE, endpoint(request))));
  }

  private Reply delete(Request request, Tx tx) {
    webhooks.delete(tx, request.caller(), VOICE, endpoint(request));
    return Reply.empty(204);
  }

  private Reply deliveries(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, PAGE_MOST);
    Page<Delivery> page =
        webhooks.deliveries(request.caller(), VOICE, endpoint(request), request.cursorId(), limit);
    return Reply.json(
        200, new DeliveryPage(page.items().stream().map(DeliveryView::of).toList(), page.next()));
  }

  private Reply resend(Request request, Tx tx) {
    UUID delivery = request.id("delivery_id", Kind.DELIVERY);
    return Reply.json(
        202,
        DeliveryView.of(webhooks.resend(tx, request.caller(), VOICE, endpoint(request), delivery)));
  }

  private Reply probe(Request request, Tx tx) {
    return Reply.json(
        202, DeliveryView.of(webhooks.probe(tx, request.caller(), VOICE, endpoint(request))));
  }

  private Reply rotateSecret(Request request, Tx tx) {
    return Reply.json(
        200,
        WebhookWithSecretView.of(
            webhooks.rotateSecret(tx, request.caller(), VOICE, endpoint(request))));
  }

  private static UUID endpoint(Request request) {
    return request.id("id", Kind.WEBHOOK);
  }
}
