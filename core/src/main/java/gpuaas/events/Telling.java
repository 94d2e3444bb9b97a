package gpuaas.events;

import gpuaas.base.Ids;
import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import java.net.InetAddress;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;

/** Everything that tells events, made in one place: the relay, the feed, webhooks. */
public record Telling(
    EventFeed feed, EventRelay relay, Webhooks.Parts webhookParts, OutboundHttp outbound)
    implements AutoCloseable {

  /**
   * How it is told.
   *
   * @param pollEvery how often is looked for events that other servers wrote
   * @param gather the least time between two transactions of the relay
   * @param allowPrivate whether webhooks may go to this machine and private networks, without TLS
   */
  public record Rules(
      Duration pollEvery, Duration gather, WebhookRules webhook, boolean allowPrivate) {}

  /**
   * Makes the parts; nothing is told before {@link #start}.
   *
   * @param more who else is told
   */
  public static Telling open(
      Database database,
      SecretBox secrets,
      Ids ids,
      InstantSource clock,
      Rules rules,
      List<WebhookVoice> voices,
      List<EventSink> more) {
    OutboundHttp outbound =
        new OutboundHttp(
            InetAddress::getAllByName, rules.allowPrivate(), rules.webhook().attemptLimit(), tls());
    Webhooks.Parts webhooks =
        Webhooks.open(database, secrets, ids, clock, rules.webhook(), outbound, voices);
    EventFeed feed = new EventFeed(database, secrets);
    EventRelay relay =
        new EventRelay(
            database,
            Stream.concat(Stream.of(webhooks.sink()), more.stream()).toList(),
            feed,
            rules.pollEvery(),
            rules.gather());
    return new Telling(feed, relay, webhooks, outbound);
  }

  /** What callers can do with webhooks. */
  public Webhooks webhooks() {
    return webhookParts.webhooks();
  }

  /** Begins to tell. */
  public void start() {
    relay.start();
    webhookParts.reconciler().start();
  }

  @Override
  public void close() {
    relay.close();
    webhookParts.reconciler().close();
    outbound.close();
  }

  private static SSLContext tls() {
    try {
      return SSLContext.getDefault();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
