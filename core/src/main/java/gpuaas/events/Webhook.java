package gpuaas.events;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Where a tenant wants to be told, and of what. Without its secret, which is shown once.
 *
 * @param voice the name of the {@link WebhookVoice} it is told in
 * @param eventTypes in the words of that voice
 * @param enabled false after deliveries were given up too often; a trial that succeeds enables it
 */
public record Webhook(
    UUID id,
    UUID tenant,
    String voice,
    String url,
    List<String> eventTypes,
    boolean enabled,
    Optional<Instant> disabledAt,
    Instant madeAt) {

  public Webhook {
    eventTypes = List.copyOf(eventTypes);
  }

  /** An endpoint with its secret: 64 lower-case hexadecimal characters, never shown again. */
  public record WithSecret(Webhook webhook, String secret) {
    @Override
    public String toString() {
      return "WithSecret[" + webhook + "]"; // never the secret
    }
  }

  /**
   * One event on its way to one endpoint.
   *
   * @param eventId the same for every attempt and every resend of an event
   * @param attempts made so far
   * @param dueAt when the next attempt is made; empty when there will be none
   * @param lastStatus what the receiver answered last, if it did
   * @param lastProblem why there was no answer last: a word of {@link OutboundHttp.Problem}
   */
  public record Delivery(
      UUID id,
      UUID webhook,
      Kind kind,
      String eventId,
      String eventType,
      State state,
      int attempts,
      Optional<Instant> dueAt,
      Optional<Instant> lastAt,
      Optional<Integer> lastStatus,
      Optional<String> lastProblem,
      Instant madeAt) {

    /** Why it was made. */
    public enum Kind {
      EVENT,
      RESEND,
      PROBE
    }

    /** What became of it. */
    public enum State {
      PENDING,
      DELIVERED,
      EXHAUSTED,
      CANCELLED
    }
  }
}
