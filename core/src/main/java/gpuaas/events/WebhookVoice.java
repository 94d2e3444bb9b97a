package gpuaas.events;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/**
 * How a dialect tells events to webhooks: its words, its bodies, the name in its headers. Keeping,
 * signing, retrying and giving up are the core's.
 */
public interface WebhookVoice {

  /**
   * An event in the dialect's words.
   *
   * @param type one of {@link #types}
   * @param json the body; sent as it is here, at every attempt
   */
  record Told(String type, String json) {}

  /** The dialect's name; kept with each endpoint. Two endpoints of one tenant may differ in it. */
  String name();

  /** What its headers begin with: {@code Gpuai} makes {@code Gpuai-Signature}. */
  String headerPrefix();

  /** The event types that one can subscribe to. */
  Set<String> types();

  /**
   * What to say of an event; empty: nothing. Called once for each event that a tenant with an
   * endpoint of this voice may hear of, in the transaction that makes the deliveries; the lease can
   * be read from there as it is now. An exception holds the relay up and is tried again a few
   * times, then the event is passed over.
   *
   * @param eventId the id outside, {@code evt_…}; must be the body's id
   */
  Optional<Told> tell(Tx tx, Event event, String eventId);

  /** What a trial says, in the shape of its other bodies. */
  Told probe(String eventId, Instant at);
}
