package gpuaas.events;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.FieldProblem;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.base.SecretBox;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.events.Webhook.Delivery;
import gpuaas.events.Webhook.WithSecret;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What callers can do with webhook endpoints: those of their tenant, each in the words of one
 * dialect. An endpoint of another tenant or another dialect is not there.
 */
public final class Webhooks {

  private final Database database;
  private final SecretBox secrets;
  private final Ids ids;
  private final InstantSource clock;
  private final WebhookRules rules;
  private final OutboundHttp outbound;
  private final Map<String, WebhookVoice> voices;
  private final Runnable wake;

  private Webhooks(
      Database database,
      SecretBox secrets,
      Ids ids,
      InstantSource clock,
      WebhookRules rules,
      OutboundHttp outbound,
      Map<String, WebhookVoice> voices,
      Runnable wake) {
    this.database = database;
    this.secrets = secrets;
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
    this.outbound = outbound;
    this.voices = voices;
    this.wake = wake;
  }

  /**
   * Makes an endpoint; told of the events that are written from now on.
   *
   * @param voice the name of a {@link WebhookVoice}
   * @param eventTypes in the words of that voice; doubles are dropped
   */
  public WithSecret create(
      Tx tx, Caller caller, String voice, String url, List<String> eventTypes) {
    caller.require(Action.WEBHOOK_WRITE);
    List<String> types = eventTypes.stream().distinct().toList();
    refuseWrong(voice(voice), url, types);
    if (WebhookStore.countLocked(tx, caller.tenant()) >= rules.mostPerTenant()) {
      throw new Refused(new Refusal.TooMany(Kind.WEBHOOK, rules.mostPerTenant()));
    }
    Webhook webhook =
        new Webhook(
            ids.next(),
            caller.tenant(),
            voice,
            url,
            types,
            true,
            Optional.empty(),
            clock.instant());
    String secret = Secrets.hex();
    WebhookStore.add(tx, webhook, caller.project(), secrets.seal(secret, purpose(webhook.id())));
    AuditStore.append(tx, caller, Act.WEBHOOK_CREATE, webhook.id(), clock.instant());
    return new WithSecret(webhook, secret);
  }

  private void refuseWrong(WebhookVoice voice, String url, List<String> types) {
    List<FieldProblem> problems = new ArrayList<>();
    outbound.problem(url).ifPresent(problem -> problems.add(new FieldProblem("url", problem)));
    if (types.isEmpty()) {
      problems.add(new FieldProblem("event_types", "must name at least one type"));
    }
    for (int i = 0; i < types.size(); i++) {
      if (!voice.types().contains(types.get(i))) {
        problems.add(
            new FieldProblem(
                "event_types",
                "must be of " + voice.types().stream().sorted().collect(Collectors.joining(", "))));
        break;
      }
    }
    if (!problems.isEmpty()) {
      throw new Refused(new Refusal.Invalid(problems));
    }
  }

  /** One endpoint, without its secret. */
  public Webhook get(Caller caller, String voice, UUID id) {
    caller.require(Action.WEBHOOK_READ);
    return database.read(tx -> visible(tx, caller, voice, id));
  }

  /**
   * The tenant's endpoints, newest first.
   *
   * @param after the id that the last page ended with; it may be gone by now
   */
  public Page<Webhook> list(Caller caller, String voice, Optional<UUID> after, int limit) {
    caller.require(Action.WEBHOOK_READ);
    return database.read(tx ->
        page(WebhookStore.list(tx, caller.tenant(), voice, after, limit + 1), limit, Webhook::id));
  }

  /** Deletes an endpoint, and cancels what is on its way there. */
  public void delete(Tx tx, Caller caller, String voice, UUID id) {
    caller.require(Action.WEBHOOK_WRITE);
    visible(tx, caller, voice, id);
    WebhookStore.delete(tx, id, clock.instant());
    AuditStore.append(tx, caller, Act.WEBHOOK_DELETE, id, clock.instant());
  }

  /** A new secret. For a while deliveries are signed with the old one as well. */
  public WithSecret rotateSecret(Tx tx, Caller caller, String voice, UUID id) {
    caller.require(Action.WEBHOOK_WRITE);
    Webhook webhook = visible(tx, caller, voice, id);
    String secret = Secrets.hex();
    Instant oldUntil = clock.instant().plus(rules.secretOverlap());
    WebhookStore.rotate(tx, id, secrets.seal(secret, purpose(id)), oldUntil);
    AuditStore.append(tx, caller, Act.WEBHOOK_ROTATE, id, clock.instant());
    return new WithSecret(webhook, secret);
  }

  /** What was sent to an endpoint, or will be, newest first. */
  public Page<Delivery> deliveries(
      Caller caller, String voice, UUID id, Optional<UUID> after, int limit) {
    caller.require(Action.WEBHOOK_READ);
    return database.read(tx -> {
      visible(tx, caller, voice, id);
      return page(WebhookDeliveryStore.list(tx, id, after, limit + 1), limit, Delivery::id);
    });
  }

  /** One delivery. */
  public Delivery delivery(Caller caller, String voice, UUID id, UUID delivery) {
    caller.require(Action.WEBHOOK_READ);
    return database.read(tx -> {
      visible(tx, caller, voice, id);
      return there(tx, id, delivery);
    });
  }

  /** Sends the same event with the same id and body again, now; also to a disabled endpoint. */
  public Delivery resend(Tx tx, Caller caller, String voice, UUID id, UUID delivery) {
    caller.require(Action.WEBHOOK_WRITE);
    visible(tx, caller, voice, id);
    Delivery first = there(tx, id, delivery);
    WebhookVoice.Told told =
        new WebhookVoice.Told(first.eventType(), WebhookDeliveryStore.body(tx, delivery));
    AuditStore.append(tx, caller, Act.WEBHOOK_RESEND, id, clock.instant());
    return sendNow(tx, id, Delivery.Kind.RESEND, first.eventId(), told);
  }

  /** Sends a trial, once and now; also to a disabled endpoint, which it enables if it arrives. */
  public Delivery probe(Tx tx, Caller caller, String voice, UUID id) {
    caller.require(Action.WEBHOOK_WRITE);
    visible(tx, caller, voice, id);
    String eventId = Event.outsideId(ids.next());
    AuditStore.append(tx, caller, Act.WEBHOOK_PROBE, id, clock.instant());
    return sendNow(
        tx, id, Delivery.Kind.PROBE, eventId, voice(voice).probe(eventId, clock.instant()));
  }

  private Delivery sendNow(
      Tx tx, UUID webhook, Delivery.Kind kind, String eventId, WebhookVoice.Told told) {
    UUID id = ids.next();
    WebhookDeliveryStore.add(
        tx,
        List.of(
            new WebhookDeliveryStore.New(
                id,
                webhook,
                kind,
                eventId,
                told,
                Optional.empty(),
                Optional.empty(),
                clock.instant())));
    tx.afterCommit(wake);
    return there(tx, webhook, id);
  }

  /** Deletes what is kept long enough; called now and then. */
  public void forgetOld() {
    Instant before = clock.instant().minus(rules.kept());
    boolean more = true;
    while (more) {
      more = database.tx(tx -> WebhookDeliveryStore.deleteSome(tx, before));
    }
    database.run(WebhookStore::removeDeleted);
  }

  private WebhookVoice voice(String name) {
    WebhookVoice voice = voices.get(name);
    if (voice == null) {
      throw new IllegalArgumentException("nobody speaks " + name);
    }
    return voice;
  }

  private static Webhook visible(Tx tx, Caller caller, String voice, UUID id) {
    return WebhookStore.find(tx, id)
        .map(WebhookStore.Kept::webhook)
        .filter(found -> found.tenant().equals(caller.tenant()) && found.voice().equals(voice))
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.WEBHOOK, id.toString())));
  }

  private static Delivery there(Tx tx, UUID webhook, UUID id) {
    return WebhookDeliveryStore.find(tx, webhook, id)
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.DELIVERY, id.toString())));
  }

  private static <T> Page<T> page(List<T> found, int limit, Function<T, UUID> id) {
    if (found.size() <= limit) {
      return new Page<>(found, Optional.empty());
    }
    List<T> items = found.subList(0, limit);
    return new Page<>(items, Optional.of(id.apply(items.getLast()).toString()));
  }

  /** What a secret is sealed for. */
  static String purpose(UUID webhook) {
    return "webhook " + webhook;
  }

  /** Everything about webhooks, made in one place: the service, what hears events, what sends. */
  public record Parts(Webhooks webhooks, EventSink sink, WebhookReconciler reconciler) {}

  /** Makes the parts. Nothing is sent before the reconciler is started. */
  public static Parts open(
      Database database,
      SecretBox secrets,
      Ids ids,
      InstantSource clock,
      WebhookRules rules,
      OutboundHttp outbound,
      List<WebhookVoice> spoken) {
    Map<String, WebhookVoice> voices =
        spoken.stream()
            .collect(Collectors.toUnmodifiableMap(WebhookVoice::name, Function.identity()));
    WebhookReconciler reconciler =
        new WebhookReconciler(database, secrets, clock, rules, outbound, voices);
    return new Parts(
        new Webhooks(database, secrets, ids, clock, rules, outbound, voices, reconciler::wake),
        new WebhookSink(ids, clock, voices, reconciler::wake),
        reconciler);
  }
}
