package gpuaas.gpuai;

import gpuaas.db.Tx;
import gpuaas.events.Event;
import gpuaas.events.WebhookVoice;
import gpuaas.http.Json;
import gpuaas.lease.EndReason;
import gpuaas.lease.Leases;
import gpuaas.operation.Operation;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * What webhooks are told, in the words of the document: an instance is being made, runs, has ended,
 * has failed. Each is told once for an instance.
 */
public final class GpuaiEvents implements WebhookVoice {

  private static final String CREATING = "instance.creating";
  private static final String RUNNING = "instance.running";
  private static final String TERMINATED = "instance.terminated";
  private static final String FAILED = "instance.failed";

  private final String name;
  private final Set<String> types;
  private final Supplier<Leases> leases;
  private final GpuaiViews views;
  private final GpuTypes gpuTypes;

  GpuaiEvents(String name, Profile profile, Supplier<Leases> leases, GpuTypes gpuTypes) {
    this.name = name;
    this.leases = leases;
    this.gpuTypes = gpuTypes;
    this.views = new GpuaiViews(profile);
    Set<String> known = new LinkedHashSet<>(List.of(CREATING, RUNNING, TERMINATED, FAILED));
    if (profile == Profile.SDK) {
      known.addAll(List.of("video.completed", "video.failed")); // known there; nobody makes any
    }
    this.types = known;
  }

  private record Body(String id, String type, Instant createdAt, Data data) {}

  private record Data(Object instance, Optional<UUID> operationId) {}

  @Override
  public String name() {
    return name;
  }

  @Override
  public String headerPrefix() {
    return "Gpuai";
  }

  @Override
  public Set<String> types() {
    return types;
  }

  @Override
  public Optional<Told> tell(Tx tx, Event event, String eventId) {
    List<Event> life = leases.get().life(tx, event.lease());
    return type(event, life)
        .flatMap(type ->
            leases
                .get()
                .find(tx, event.lease())
                .map(lease -> {
                  Object instance =
                      views.instance(lease, gpuTypes.of(tx, lease.spec().want().gpuModel()));
                  Body body =
                      new Body(
                          eventId, type, event.at(), new Data(instance, operation(event, life)));
                  return new Told(type, Json.write(body));
                }));
  }

  @Override
  public Told probe(String eventId, Instant at) {
    Map<String, Object> instance = Map.of("id", "probe", "status", "running");
    return new Told(
        RUNNING, Json.write(new Body(eventId, RUNNING, at, new Data(instance, Optional.empty()))));
  }

  /** A failure is told when it is known, and its end is then no news. */
  private static Optional<String> type(Event event, List<Event> life) {
    return switch (event.type()) {
      case LEASE_REQUESTED -> Optional.of(CREATING);
      case LEASE_RUNNING -> Optional.of(RUNNING);
      case LEASE_STOPPING -> isFailure(event) ? Optional.of(FAILED) : Optional.empty();
      case LEASE_ENDED -> {
        boolean told =
            life.stream()
                .anyMatch(other -> other.type() == Event.Type.LEASE_STOPPING && isFailure(other));
        if (told) {
          yield Optional.empty();
        }
        yield Optional.of(isFailure(event) ? FAILED : TERMINATED);
      }
      case LEASE_DISMISSED -> Optional.of(TERMINATED);
      default -> Optional.empty();
    };
  }

  private static boolean isFailure(Event event) {
    return EndReason.of(event.details().getOrDefault("reason", ""))
        .map(EndReason::isFailure)
        .orElse(false);
  }

  private static Optional<UUID> operation(Event event, List<Event> life) {
    return switch (event.type()) {
      case LEASE_REQUESTED, LEASE_RUNNING -> Optional.of(Operation.creation(life).id());
      case LEASE_ENDED, LEASE_DISMISSED -> Operation.deletion(life).map(Operation::id);
      default -> Optional.empty();
    };
  }
}
