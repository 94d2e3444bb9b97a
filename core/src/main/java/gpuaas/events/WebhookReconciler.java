package gpuaas.events;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import gpuaas.db.DatabaseGone;
import gpuaas.db.Tx;
import gpuaas.events.Webhook.Delivery;
import gpuaas.events.WebhookDeliveryStore.Claimed;
import gpuaas.events.WebhookDeliveryStore.Slots;
import gpuaas.events.WebhookSenders.Result;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends what is due: claims deliveries, makes one attempt at each outside of any transaction, and
 * writes what came of it, of many together with the next claims. A claim of somebody who died runs
 * out. Endpoints that fail are tried one delivery at a time and share half of the threads, so that
 * they delay nobody else.
 */
public final class WebhookReconciler implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(WebhookReconciler.class);
  private static final Duration SHUTDOWN_LIMIT = Duration.ofSeconds(2);

  /** So many are claimed for each that is sent at once, so that nobody waits for a commit. */
  private static final int AHEAD = 16;

  private final Database database;
  private final InstantSource clock;
  private final WebhookRules rules;
  private final WebhookSenders senders;
  private final Semaphore wakes = new Semaphore(0);
  private final List<Result> unwritten = new ArrayList<>();
  private final Thread loop = Thread.ofPlatform().daemon().name("webhooks").unstarted(this::run);
  private volatile boolean closed;

  WebhookReconciler(
      Database database,
      SecretBox secrets,
      InstantSource clock,
      WebhookRules rules,
      OutboundHttp outbound,
      Map<String, WebhookVoice> voices) {
    this.database = database;
    this.clock = clock;
    this.rules = rules;
    this.senders = new WebhookSenders(secrets, clock, rules, outbound, voices, this::wake);
  }

  /** Begins to send. */
  public void start() {
    loop.start();
  }

  /** Looks now. */
  public void wake() {
    wakes.release();
  }

  /** Begins no more; what is under way and does not end soon is sent again later. */
  @Override
  public void close() {
    closed = true;
    wake();
    try {
      if (loop.isAlive()) {
        loop.join(SHUTDOWN_LIMIT); // before the senders, so that nothing more is claimed
      }
      senders.close(SHUTDOWN_LIMIT);
      write();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      log.warn("what came of some deliveries is not written: {}", e.getMessage());
    }
  }

  private void run() {
    while (!closed) {
      try {
        writeAndClaim();
      } catch (DatabaseGone e) {
        log.warn("webhooks wait for the database: {}", e.getMessage());
      } catch (RuntimeException e) {
        if (!closed) {
          log.error("looking for deliveries failed", e);
        }
      }
      try {
        var _ = wakes.tryAcquire(rules.pollEvery().toMillis(), TimeUnit.MILLISECONDS);
        wakes.drainPermits();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  /** One commit for all that arrived and all that is sent next. */
  private void writeAndClaim() {
    unwritten.addAll(senders.results());
    writeFailed();
    Instant now = clock.instant();
    // As the database keeps it, so that a claim is known by its end.
    Instant until = now.plus(claimLength()).truncatedTo(ChronoUnit.MICROS);
    int free = senders.free();
    int forFailing = Math.min(free, Math.max(1, rules.parallel() / 2) - senders.busyFailing());
    List<Claimed> failing = new ArrayList<>();
    List<Claimed> others = new ArrayList<>();
    try {
      database.run(tx -> {
        writeArrived(tx, unwritten);
        others.addAll(
            claim(tx, false, rules.parallelPerEndpoint() * AHEAD, free * AHEAD, now, until));
        failing.addAll(claim(tx, true, 1, forFailing, now, until));
      });
      unwritten.clear();
    } catch (DatabaseGone e) {
      throw e;
    } catch (RuntimeException e) {
      write(); // one by one: who cannot be written holds up nobody else
      throw e;
    }
    senders.send(others, false);
    senders.send(failing, true);
  }

  private List<Claimed> claim(
      Tx tx, boolean failing, int perEndpoint, int most, Instant now, Instant until) {
    if (most <= 0 || closed) {
      return List.of();
    }
    Slots slots = new Slots(failing, perEndpoint, most, rules.inOrderAttempts());
    return WebhookDeliveryStore.claim(tx, slots, now, until);
  }

  /** Longer than an attempt, for a look-up that no limit can end. */
  private Duration claimLength() {
    return rules.attemptLimit().multipliedBy(2).plusSeconds(1);
  }

  /** Everything that came in, each by itself. */
  private void write() {
    unwritten.addAll(senders.results());
    writeFailed();
    while (!unwritten.isEmpty()) {
      Result result = unwritten.getFirst();
      try {
        database.run(tx -> writeArrived(tx, List.of(result)));
      } catch (DatabaseGone e) {
        throw e;
      } catch (RuntimeException e) {
        log.error("what came of a delivery cannot be written: {}", result, e);
      }
      unwritten.removeFirst();
    }
  }

  /**
   * Each in a transaction of its own: it locks its endpoint, and whoever deletes that locks the
   * deliveries first.
   */
  private void writeFailed() {
    for (Result result : List.copyOf(unwritten)) {
      if (result instanceof Result.Failed failed) {
        try {
          database.run(tx -> failed(tx, failed));
        } catch (DatabaseGone e) {
          throw e;
        } catch (RuntimeException e) {
          log.error("what came of delivery {} is not written", failed.claimed().id(), e);
        }
        unwritten.remove(result);
      }
    }
  }

  private static void writeArrived(Tx tx, List<Result> results) {
    List<Claimed> givenBack = new ArrayList<>();
    List<Result.Delivered> arrived = new ArrayList<>();
    Map<UUID, UUID> projects = new HashMap<>();
    for (Result result : results) {
      switch (result) {
        case Result.Delivered delivered -> {
          arrived.add(delivered);
          projects.put(delivered.claimed().webhook(), delivered.claimed().project());
        }
        case Result.GivenBack(Claimed claimed) -> givenBack.add(claimed);
        case Result.Failed _ -> {}
      }
    }
    if (!givenBack.isEmpty()) {
      WebhookDeliveryStore.giveBack(tx, givenBack);
    }
    if (arrived.isEmpty()) {
      return;
    }
    List<UUID> webhooks = WebhookDeliveryStore.delivered(tx, arrived);
    for (UUID enabled : WebhookStore.succeeded(tx, webhooks)) {
      UUID project = Objects.requireNonNull(projects.get(enabled));
      AuditStore.appendOwn(tx, project, Act.WEBHOOK_ENABLE, enabled, arrived.getLast().at());
    }
  }

  private void failed(Tx tx, Result.Failed failed) {
    Claimed claimed = failed.claimed();
    Instant now = failed.at();
    int attempts = claimed.attempts() + 1;
    boolean probe = claimed.kind() == Delivery.Kind.PROBE;
    boolean last = probe || attempts >= rules.retryAfter().size();
    Optional<Instant> dueAgain =
        last
            ? Optional.empty()
            : Optional.of(now.plus(rules.pause(attempts, claimed.id().getLeastSignificantBits())));
    if (!WebhookDeliveryStore.failed(tx, failed, dueAgain) || probe) {
      return;
    }
    if (attempts < rules.inOrderAttempts()) {
      dueAgain.ifPresent(until -> WebhookDeliveryStore.holdBack(tx, claimed.id(), until));
    }
    if (WebhookStore.failed(tx, claimed.webhook(), last, rules.disableAfter(), now)) {
      log.warn("webhook {} is disabled: too much was given up in a row", claimed.webhook());
      AuditStore.appendOwn(tx, claimed.project(), Act.WEBHOOK_DISABLE, claimed.webhook(), now);
    }
  }
}
