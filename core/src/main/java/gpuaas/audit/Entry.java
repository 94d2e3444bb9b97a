package gpuaas.audit;

import gpuaas.base.Origin;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/**
 * One line of the trail: who did what to what, from where, and what came of it.
 *
 * @param id in the order in which they were written down
 * @param actor the zero id: the system, or nobody we know
 * @param target the zero id: nothing in particular
 * @param details words for words, never secrets
 */
public record Entry(
    long id,
    Instant at,
    UUID actor,
    String actorName,
    String actorRole,
    UUID project,
    String action,
    UUID target,
    boolean success,
    String correlationId,
    Origin origin,
    Map<String, String> details) {

  public Entry {
    details = Map.copyOf(details);
  }

  /** The same, about something of this project. */
  Entry in(UUID other) {
    return new Entry(
        id,
        at,
        actor,
        actorName,
        actorRole,
        other,
        action,
        target,
        success,
        correlationId,
        origin,
        details);
  }

  /** All of it in one form that never changes: what a seal is over. */
  String canonical() {
    StringBuilder text = new StringBuilder();
    field(text, Long.toString(id));
    field(text, Long.toString(at.getEpochSecond()));
    field(text, Integer.toString(at.getNano()));
    field(text, actor.toString());
    field(text, actorName);
    field(text, actorRole);
    field(text, project.toString());
    field(text, action);
    field(text, target.toString());
    field(text, success ? "success" : "failure");
    field(text, correlationId);
    field(text, origin.address());
    field(text, origin.userAgent());
    new TreeMap<>(details)
        .forEach((name, value) -> {
          field(text, name);
          field(text, value);
        });
    return text.toString();
  }

  /** With its length before it, so that no two entries look the same. */
  private static void field(StringBuilder text, String value) {
    text.append(value.length()).append(':').append(value).append(',');
  }
}
