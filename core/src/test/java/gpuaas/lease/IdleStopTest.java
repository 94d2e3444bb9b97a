package gpuaas.lease;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.base.Standing;
import gpuaas.events.Event;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.ledger.LedgerRules;
import gpuaas.spi.HasUtilization.Utilization;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Leases that end by themselves: told before, once, and never because of a failure of ours. */
class IdleStopTest {

  private final Desk desk = new Desk(LedgerRules.standard(), 4);

  @AfterEach
  void close() {
    desk.close();
  }

  private UUID running(Optional<Duration> term, Optional<Duration> idle) {
    LeaseSpec plain = Desk.spec(1, Tier.ON_DEMAND, LeaseSpec.WhenFull.QUEUE, Guards.NONE);
    UUID id =
        desk.request(
            new LeaseSpec(
                plain.want(),
                "",
                List.of(),
                Map.of(),
                term,
                plain.whenFull(),
                Duration.ZERO,
                new Guards(Optional.empty(), idle.map(after -> new Guards.Idle(after, 5)))));
    desk.stepTo(id, "running");
    return id;
  }

  private UUID idle(Duration after) {
    return running(Optional.empty(), Optional.of(after));
  }

  private List<Event> told(UUID id, Event.Type type) {
    return desk.parts.leases().timeline(Desk.caller(Standing.OWNER), id).stream()
        .filter(event -> event.type() == type)
        .toList();
  }

  private InstanceRef instance(UUID id) {
    return ((LeaseState.Running) desk.lease(id).state()).instance();
  }

  /** Looks as often as the loop does, for this long, or until it runs no more. */
  private void watch(UUID id, Duration time) {
    Instant end = desk.clock.instant().plus(time);
    while (desk.clock.instant().isBefore(end) && isRunning(id)) {
      desk.step(id);
      desk.step(id); // what wants to be looked at again at once
      desk.clock.advance(Duration.ofSeconds(10));
    }
  }

  private boolean isRunning(UUID id) {
    return desk.lease(id).state() instanceof LeaseState.Running;
  }

  private EndReason why(UUID id) {
    return ((LeaseState.Ended) desk.stepTo(id, "ended").state()).why();
  }

  @Test
  void nobodyUsesIt() {
    // Told once, five minutes before; then ended, and billed until then.
    UUID id = idle(Duration.ofMinutes(30));
    Instant start = desk.clock.instant();
    watch(id, Duration.ofMinutes(29));
    assertThat(isRunning(id)).isTrue();
    Event warning = told(id, Event.Type.LEASE_IDLE_WARNING).getFirst();
    assertThat(Duration.between(start, warning.at())).isBetween(min(25), min(26));
    watch(id, Duration.ofMinutes(2));
    assertThat(why(id)).isEqualTo(EndReason.IDLE);
    assertThat(told(id, Event.Type.LEASE_IDLE_WARNING)).hasSize(1);
    Event stopping = told(id, Event.Type.LEASE_STOPPING).getFirst();
    assertThat(stopping.at()).isAfterOrEqualTo(Instant.parse(warning.details().get("at")));
    assertThat(stopping.details()).containsEntry("reason", "idle");
  }

  private static Duration min(long minutes) {
    return Duration.ofMinutes(minutes);
  }

  @Test
  void aJobWithoutASessionIsUse() {
    UUID id = idle(Duration.ofMinutes(10));
    InstanceRef instance = instance(id);
    for (int i = 1; i <= 120; i++) {
      desk.machine.use(
          instance,
          new Utilization(Optional.of(Duration.ofSeconds(10L * i)), 24_000, Optional.of(i % 2)));
      watch(id, Duration.ofSeconds(10));
    }
    assertThat(isRunning(id)).isTrue();
    assertThat(told(id, Event.Type.LEASE_IDLE_WARNING)).isEmpty();
  }

  @Test
  void trafficAfterTheWarningTakesItBack() {
    UUID id = idle(Duration.ofMinutes(10));
    watch(id, Duration.ofMinutes(7));
    assertThat(told(id, Event.Type.LEASE_IDLE_WARNING)).hasSize(1);
    desk.traffic.put(id, desk.clock.instant());
    watch(id, Duration.ofMinutes(9));
    assertThat(isRunning(id)).isTrue();
    assertThat(told(id, Event.Type.LEASE_IDLE_WARNING)).as("of another time").hasSize(2);
    watch(id, Duration.ofMinutes(2));
    assertThat(why(id)).isEqualTo(EndReason.IDLE);
  }

  @Test
  void whatCannotBeKnownEndsNothingAndIsSaidOnce() {
    UUID id = idle(Duration.ofMinutes(10));
    desk.machine.use(
        instance(id), new Utilization(Optional.of(Duration.ZERO), 24_000, Optional.empty()));
    watch(id, Duration.ofMinutes(30));
    assertThat(isRunning(id)).isTrue();
    assertThat(told(id, Event.Type.LEASE_IDLE_UNKNOWN))
        .singleElement()
        .satisfies(
            event -> assertThat(event.details()).containsEntry("unknown", "the use of its GPUs"));
    desk.restart();
    watch(id, Duration.ofMinutes(1));
    assertThat(told(id, Event.Type.LEASE_IDLE_UNKNOWN)).hasSize(1);
  }

  @Test
  void ourOutagesAreNotItsIdleness() {
    // A restart and a time in which nobody looked: each time all of the time begins anew.
    UUID id = idle(Duration.ofMinutes(10));
    watch(id, Duration.ofMinutes(9));
    desk.restart();
    watch(id, Duration.ofMinutes(9));
    assertThat(isRunning(id)).isTrue();
    desk.clock.advance(Duration.ofHours(2));
    watch(id, Duration.ofMinutes(9));
    assertThat(isRunning(id)).isTrue();
    watch(id, Duration.ofMinutes(2));
    assertThat(why(id)).isEqualTo(EndReason.IDLE);
  }

  @Test
  void theEndIsToldOnceAndARestartDoesNotTellItAgain() {
    UUID id = running(Optional.of(Duration.ofHours(1)), Optional.empty());
    Instant end = desk.lease(id).expires().orElseThrow();
    watch(id, Duration.ofMinutes(53));
    assertThat(told(id, Event.Type.LEASE_ENDING_SOON).size()).isZero();
    watch(id, Duration.ofMinutes(2));
    Event told = told(id, Event.Type.LEASE_ENDING_SOON).getFirst();
    assertThat(told.details()).containsEntry("at", end.toString());
    assertThat(Duration.between(told.at(), end)).isBetween(min(5), min(6));
    desk.restart();
    watch(id, Duration.ofMinutes(10));
    assertThat(why(id)).isEqualTo(EndReason.EXPIRED);
    assertThat(told(id, Event.Type.LEASE_ENDING_SOON)).hasSize(1);
  }
}
