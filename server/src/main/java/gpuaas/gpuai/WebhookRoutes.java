package gpuaas.gpuai;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal.Kind;
import gpuaas.db.Tx;
import gpuaas.events.Webhook;
import gpuaas.events.Webhooks;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Webhook endpoints. The secret is in the answer that made one, and nowhere else. */
final class WebhookRoutes {

  private static final int URL_LENGTH_MOST = 2048;
  private static final int TYPES_MOST = 20;
  private static final int TYPE_LENGTH_MOST = 100;

  private final String path;
  private final String voice;
  private final Webhooks webhooks;
  private final Lists lists;

  WebhookRoutes(String mount, String voice, Webhooks webhooks, Lists lists) {
    this.path = mount + "/webhook-endpoints";
    this.voice = voice;
    this.webhooks = webhooks;
    this.lists = lists;
  }

  List<Route> routes() {
    return List.of(
        Route.get(path, this::list).needing(Action.WEBHOOK_READ),
        Route.once("POST", path, this::create).needing(Action.WEBHOOK_WRITE),
        Route.get(path + "/{id}", this::get).needing(Action.WEBHOOK_READ),
        Route.change("DELETE", path + "/{id}", this::delete).needing(Action.WEBHOOK_WRITE));
  }

  private record WebhookEndpoint(
      UUID id,
      String url,
      List<String> eventTypes,
      boolean enabled,
      Instant createdAt,
      @JsonInclude(JsonInclude.Include.NON_ABSENT) Optional<String> secret) {
    static WebhookEndpoint of(Webhook webhook, Optional<String> secret) {
      return new WebhookEndpoint(
          webhook.id(),
          webhook.url(),
          webhook.eventTypes(),
          webhook.enabled(),
          webhook.madeAt(),
          secret);
    }
  }

  private Reply create(Request request, Tx tx) {
    Fields fields = Bodies.fields(request);
    String url = fields.text("url", URL_LENGTH_MOST);
    List<String> types = fields.optionalTexts("event_types", TYPES_MOST, TYPE_LENGTH_MOST);
    fields.check();
    Webhook.WithSecret made = webhooks.create(tx, request.caller(), voice, url, types);
    return Reply.json(201, WebhookEndpoint.of(made.webhook(), Optional.of(made.secret())));
  }

  private Reply list(Request request) {
    Optional<UUID> after = lists.after(request, "", 1).map(place -> Lists.id(place.getFirst()));
    int limit = Lists.limit(request);
    Page<Webhook> page = webhooks.list(request.caller(), voice, after, limit);
    return lists.page(request, "", page, webhook -> WebhookEndpoint.of(webhook, Optional.empty()));
  }

  private Reply get(Request request) {
    Webhook webhook = webhooks.get(request.caller(), voice, request.id("id", Kind.WEBHOOK));
    return Reply.json(200, WebhookEndpoint.of(webhook, Optional.empty()));
  }

  private Reply delete(Request request, Tx tx) {
    webhooks.delete(tx, request.caller(), voice, request.id("id", Kind.WEBHOOK));
    return Reply.empty(204);
  }
}
