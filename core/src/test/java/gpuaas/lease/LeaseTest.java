package gpuaas.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.base.Caller;
import gpuaas.base.Standing;
import gpuaas.catalog.Want;
import gpuaas.events.Event;
import gpuaas.lease.LeaseHistory.Trouble;
import gpuaas.lease.LeaseSignal.Answered;
import gpuaas.lease.LeaseSignal.Created;
import gpuaas.lease.LeaseSignal.Decline;
import gpuaas.lease.LeaseSignal.Declined;
import gpuaas.lease.LeaseSignal.Gone;
import gpuaas.lease.LeaseSignal.Metered;
import gpuaas.lease.LeaseSignal.Placed;
import gpuaas.lease.LeaseSignal.StopAsked;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.lease.LeaseSpec.WhenFull;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Place;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.ledger.Evidence;
import gpuaas.ledger.Evidence.Proof;
import gpuaas.ledger.Usage;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest.Launch;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.TestClock;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * The life, row by row: what each signal does in each state, what it tells, and what it charges.
 */
class LeaseTest {

  private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");
  private static final Instant T9 = T0.plusSeconds(9);
  private static final LeaseRules RULES = LeaseRules.standard();
  private static final InstanceRef INSTANCE = new InstanceRef("sim", "i-1");
  private static final Endpoint SSH = new Endpoint("127.0.0.1", 22, "root");
  private static final Place PLACE =
      new Place(
          new SimProvider("sim", new TestClock(), SimScript::prompt, 1, 8)
              .offers(OfferQuery.all())
              .getFirst(),
          "node-0",
          List.of("gpu-0"));

  private static final Map<String, LeaseState> STATES = new LinkedHashMap<>();
  private static final Map<String, LeaseSignal> SIGNALS = new LinkedHashMap<>();

  static {
    STATES.put("waiting", new Waiting(0));
    STATES.put("provisioning", new Provisioning(PLACE, 1, T0));
    STATES.put("booting", new Booting(PLACE, 1, INSTANCE, T0));
    STATES.put("running", new Running(PLACE, 1, INSTANCE, SSH, T0, T0));
    STATES.put("stopping", new Stopping(Optional.of(INSTANCE), 1, EndReason.ASKED, T0, T0));
    STATES.put(
        "unheard", new Stopping(Optional.empty(), 1, EndReason.ASKED, T0, T0.plusSeconds(90)));
    STATES.put("ended", new Ended(EndReason.ASKED, T0));
    SIGNALS.put("placed", new Placed(PLACE));
    SIGNALS.put("declined", new Declined(1, Decline.NO_CAPACITY));
    SIGNALS.put("created", new Created(1, INSTANCE));
    SIGNALS.put("answered", new Answered(SSH));
    SIGNALS.put("metered", new Metered());
    SIGNALS.put("reclaim", new LeaseSignal.ReclaimAsked(T9));
    SIGNALS.put("funds-low", new LeaseSignal.FundsLow("the funds", 60));
    SIGNALS.put("stop-asked", new StopAsked(EndReason.ASKED));
    SIGNALS.put("gone", new Gone());
    SIGNALS.put("restart", new LeaseSignal.RestartAsked("trace-8"));
    SIGNALS.put("forced", new LeaseSignal.CleanupForced(true));
  }

  // rows: states; columns: placed, declined, created, answered, metered, reclaim, funds-low,
  // stop-asked, gone, restart, forced
  // "-" cannot happen, "=" nothing changes, else the state afterwards
  private static final String TABLE =
      """
      waiting       provisioning waiting  -         -        -        -        -        ended     -         -       -
      provisioning  -            waiting  booting   -        -        stopping -        stopping  -         -       -
      booting       -            -        -         running  -        stopping -        stopping  stopping  -       -
      running       -            -        -         -        running  running  running  stopping  stopping  booting -
      stopping      -            -        -         -        -        -        -        =         ended     -       ended
      unheard       -            stopping stopping  -        -        -        -        =         =         -       ended
      ended         -            -        -         -        -        -        -        =         -         -       -
      """;

  private static Lease lease(LeaseState state, WhenFull whenFull) {
    UUID id = new UUID(0, 7);
    Want want = new Want("h200-sxm-slice", "H200", 2, Optional.empty(), Tier.ON_DEMAND);
    LeaseSpec spec =
        new LeaseSpec(
            want,
            "",
            List.of(),
            Map.of(),
            Optional.of(Duration.ofHours(1)),
            whenFull,
            Duration.ZERO,
            Guards.NONE);
    return new Lease(
        id,
        4,
        id,
        id,
        id,
        Optional.empty(),
        spec,
        Optional.empty(),
        state,
        4_500_000,
        T0,
        Optional.empty(),
        LeaseHistory.NONE,
        "test");
  }

  static Lease lease(LeaseState state) {
    return lease(state, WhenFull.QUEUE);
  }

  @Test
  void everyPairIsDecided() {
    for (String row : TABLE.strip().split("\n")) {
      String[] cells = row.strip().split(" +");
      Lease before = lease(STATES.get(cells[0]));
      int column = 1;
      for (Map.Entry<String, LeaseSignal> signal : SIGNALS.entrySet()) {
        String wanted = cells[column++];
        String pair = cells[0] + " + " + signal.getKey();
        if (wanted.equals("-")) {
          assertThatThrownBy(() -> before.on(signal.getValue(), T9, RULES))
              .as(pair)
              .isInstanceOf(LeaseSignal.Illegal.class);
          continue;
        }
        Change change = before.on(signal.getValue(), T9, RULES);
        assertThat(change.isEmpty()).as(pair).isEqualTo(wanted.equals("="));
        if (!wanted.equals("=")) {
          assertThat(change.after().state().text()).as(pair).isEqualTo(wanted);
          assertThat(change.after().version()).as(pair).isEqualTo(5);
        }
      }
    }
  }

  @Test
  void aRestartIsChargedToItsRequestAndNotUntilItAnswersAgain() {
    Instant end = T0.plus(Duration.ofHours(1));
    Lease running =
        lease(new Booting(PLACE, 1, INSTANCE, T0)).on(new Answered(SSH), T0, RULES).after();
    Change asked = running.on(new LeaseSignal.RestartAsked("trace-8"), T9, RULES);
    assertThat(asked.usage()).extracting(Usage::to).containsExactly(T9);
    assertThat(asked.usage().getFirst().end())
        .isEqualTo(new Evidence(Proof.STOP_ASKED, T9, "restart trace-8"));
    Lease again = asked.after().on(new Answered(SSH), T9.plusSeconds(5), RULES).after();
    assertThat(again.expires()).as("its end stays").contains(end);
    assertThat(again.history().restarts()).isEqualTo(1);
    assertThat(((Running) again.state()).meteredTo()).isEqualTo(T9.plusSeconds(5));
    assertThat(asked.after().on(new LeaseSignal.RestartAsked("trace-9"), T9, RULES).isEmpty())
        .as("one that is under way is enough")
        .isTrue();
  }

  @Test
  void afterARestartLackOfMemoryIsToldFromTheFirstTime() {
    Lease running = lease(new Running(PLACE, 1, INSTANCE, SSH, T0, T0));
    Trouble often = running.history().trouble().killed(7, T0);
    Lease killed = running.on(new LeaseSignal.Troubled(often), T0, RULES).after();
    Lease again = killed.on(new LeaseSignal.RestartAsked("trace-8"), T9, RULES).after();
    assertThat(again.history().trouble().memoryKills()).isZero();
    assertThat(again.history().trouble().memoryKillAt()).contains(T0);
  }

  @Test
  void anEndThatIsStuckIsToldOnceAndAgainAfterItWasTriedAnew() {
    Lease stopping = lease(new Stopping(Optional.of(INSTANCE), 1, EndReason.ASKED, T0, T0));
    Trouble why = stopping.history().trouble().stuck("sim still has i-1");
    Change stuck = stopping.on(new LeaseSignal.Troubled(why), T9, RULES);
    assertThat(stuck.events()).extracting(Event::type).containsExactly(Event.Type.LEASE_STOP_STUCK);
    assertThat(stuck.after().on(new LeaseSignal.Troubled(why), T9, RULES).isEmpty()).isTrue();
    Change retried = stuck.after().on(new StopAsked(EndReason.ASKED), T9, RULES);
    assertThat(retried.events())
        .extracting(Event::type)
        .containsExactly(Event.Type.LEASE_STOP_RETRIED);
    assertThat(retried.after().history().trouble().takesTooLong()).isFalse();
    assertThat(retried.after().history().trouble().stopAskedAgainAt()).contains(T9);
    assertThat(retried.after().state()).isEqualTo(stopping.state());
  }

  @Test
  void anEndWithoutProofIsAFailureAndOneWithProofKeepsItsReason() {
    Lease stopping = lease(new Stopping(Optional.of(INSTANCE), 1, EndReason.EXPIRED, T0, T0));
    assertThat(stopping.on(new LeaseSignal.CleanupForced(true), T9, RULES).after().state())
        .isEqualTo(new Ended(EndReason.EXPIRED, T9));
    assertThat(stopping.on(new LeaseSignal.CleanupForced(false), T9, RULES).after().state())
        .isEqualTo(new Ended(EndReason.CLEANUP_UNPROVEN, T9));
  }

  @Test
  void aSignalOfAnotherAttemptCannotHappen() {
    Lease lease = lease(new Provisioning(PLACE, 2, T0));
    assertThatThrownBy(() -> lease.on(new Created(1, INSTANCE), T9, RULES))
        .isInstanceOf(LeaseSignal.Illegal.class);
    assertThatThrownBy(() -> lease.on(new Declined(1, Decline.REJECTED), T9, RULES))
        .isInstanceOf(LeaseSignal.Illegal.class);
  }

  @Test
  void runningIsChargedToTheStopAndNotBeyondWhatWasSeenWhenLost() {
    Lease running = lease(new Running(PLACE, 1, INSTANCE, SSH, T0, T0.plusSeconds(5)));
    Instant t5 = T0.plusSeconds(5);
    Evidence seen = new Evidence(Proof.INSPECTED, t5, "sim/i-1");
    Evidence asked = new Evidence(Proof.STOP_ASKED, T9, "asked trace-7");
    assertThat(running.on(new StopAsked(EndReason.ASKED, "trace-7"), T9, RULES).usage())
        .containsExactly(new Usage(running.id(), T0, t5, T9, 2, 4_500_000, seen, asked));
    assertThat(running.on(new Gone(), T9, RULES).usage()).isEmpty();
    Evidence seenAgain = new Evidence(Proof.INSPECTED, T9, "sim/i-1");
    assertThat(running.on(new Metered(), T9, RULES).usage())
        .containsExactly(new Usage(running.id(), T0, t5, T9, 2, 4_500_000, seen, seenAgain));
  }

  @Test
  void theFirstSecondIsProvedByTheShellThatAnswered() {
    Lease running = lease(new Running(PLACE, 1, INSTANCE, SSH, T0, T0));
    assertThat(running.on(new Metered(), T9, RULES).usage().getFirst().start())
        .isEqualTo(new Evidence(Proof.SSH_ANSWERED, T0, "root@127.0.0.1:22"));
  }

  @Test
  void aClockThatStepsBackChargesNothingTwice() {
    Lease running = lease(new Running(PLACE, 1, INSTANCE, SSH, T0, T9));
    assertThat(running.on(new Metered(), T0, RULES).isEmpty()).isTrue();
    assertThat(running.on(new StopAsked(EndReason.ASKED), T0, RULES).usage()).isEmpty();
  }

  @Test
  void aLeaseThatMayNotWaitEndsWhenDeclined() {
    Change full =
        lease(new Waiting(0), WhenFull.FAIL).on(new Declined(0, Decline.NO_CAPACITY), T9, RULES);
    assertThat(full.after().state()).isEqualTo(new Ended(EndReason.NO_CAPACITY, T9));
    Change rejected =
        lease(new Provisioning(PLACE, 1, T0), WhenFull.FAIL)
            .on(new Declined(1, Decline.REJECTED), T9, RULES);
    assertThat(rejected.after().state()).isEqualTo(new Ended(EndReason.DECLINED, T9));
  }

  @Test
  void aLeaseIsNotTriedForEver() {
    Change last =
        lease(new Provisioning(PLACE, 20, T0)).on(new Declined(20, Decline.UNREACHABLE), T9, RULES);
    assertThat(last.after().state()).isEqualTo(new Ended(EndReason.DECLINED, T9));
  }

  @Test
  void aRejectedRequestEndsAtOnceAndDoesNotWait() {
    Change rejected =
        lease(new Provisioning(PLACE, 1, T0)).on(new Declined(1, Decline.REJECTED), T9, RULES);
    assertThat(rejected.after().state()).isEqualTo(new Ended(EndReason.DECLINED, T9));
  }

  @Test
  void theTermCountsFromWhenItAnswers() {
    Change running = lease(new Booting(PLACE, 1, INSTANCE, T0)).on(new Answered(SSH), T9, RULES);
    assertThat(running.after().expires()).contains(T9.plus(Duration.ofHours(1)));
    assertThat(running.after().isOverdue(T9.plus(Duration.ofMinutes(59)))).isFalse();
    assertThat(running.after().isOverdue(T9.plus(Duration.ofHours(1)))).isTrue();
  }

  @Test
  void stoppingAnUnheardAttemptWaitsForItToSettleUnlessItIsHeardOf() {
    Change asked =
        lease(new Provisioning(PLACE, 1, T0)).on(new StopAsked(EndReason.ASKED), T9, RULES);
    assertThat(((Stopping) asked.after().state()).quietFrom()).isEqualTo(T0.plus(RULES.settle()));
    Change heard = asked.after().on(new Created(1, INSTANCE), T9, RULES);
    assertThat(((Stopping) heard.after().state()).quietFrom()).isEqualTo(T9);
    assertThat(((Stopping) heard.after().state()).instance()).contains(INSTANCE);
  }

  @Test
  void tellingAgainIsTellingTheSame() {
    Event once = lease(new Waiting(0)).on(new Placed(PLACE), T9, RULES).events().getFirst();
    Event again = lease(new Waiting(0)).on(new Placed(PLACE), T9, RULES).events().getFirst();
    assertThat(once).isEqualTo(again);
    assertThat(once.sequence()).isEqualTo(5);
  }

  // --- leases whose end counts from the request, and that are patient for a while ---

  private static final Duration PATIENT_TERM = Duration.ofHours(2);
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static Lease patient() {
    UUID id = new UUID(0, 7);
    Caller caller = new Caller(id, "u", id, id, Standing.OWNER, Optional.empty(), "c");
    LeaseSpec spec =
        new LeaseSpec(
            new Want("", "H200", 1, Optional.empty(), Tier.ON_DEMAND),
            "",
            List.of(),
            List.of(),
            Map.of(),
            Launch.PLAIN,
            Optional.of(PATIENT_TERM),
            true,
            Optional.empty(),
            LeaseSpec.WhenFull.FAIL,
            PATIENCE,
            Guards.NONE,
            Optional.empty(),
            Optional.empty(),
            Map.of(),
            Optional.empty());
    return Lease.requested(id, caller, spec, Optional.empty(), 1_000_000, T0).after();
  }

  @Test
  void theEndIsKnownFromTheRequestOn() {
    Lease lease = patient();
    assertThat(lease.expires()).contains(T0.plus(PATIENT_TERM));
    assertThat(lease.isOverdue(T0.plus(PATIENT_TERM).minusNanos(1))).isFalse();
    assertThat(lease.isOverdue(T0.plus(PATIENT_TERM))).isTrue();
  }

  @Test
  void anotherEndIsToldAndWarnedOfAnew() {
    Lease lease = patient();
    Lease warned =
        new Lease(
            lease.id(),
            lease.version(),
            lease.tenant(),
            lease.project(),
            lease.requestedBy(),
            lease.apiKey(),
            lease.spec(),
            lease.name(),
            lease.state(),
            lease.pricePerGpuHourMicros(),
            lease.createdAt(),
            lease.expires(),
            lease.history().told(LeaseSignal.Warning.ENDING_SOON),
            lease.correlationId());
    Instant later = T0.plus(PATIENT_TERM).plus(PATIENT_TERM);
    Change change = warned.endingAt(later, T0);
    assertThat(change.after().expires()).contains(later);
    assertThat(change.after().history().told()).isEmpty();
    assertThat(change.events())
        .singleElement()
        .satisfies(event -> {
          assertThat(event.type()).isEqualTo(Event.Type.LEASE_EXTENDED);
          assertThat(event.details()).containsEntry("at", later.toString());
        });
    assertThat(change.after().endingAt(later, T0).isEmpty()).isTrue();
  }

  @Test
  void whatMayPassIsTriedAgainAsLongAsItIsPatient() {
    Declined limited = new Declined(0, Decline.RATE_LIMITED);
    assertThat(patient().on(limited, T0.plusSeconds(19), RULES).after().state())
        .isEqualTo(new Waiting(0));
    Instant late = T0.plus(PATIENCE);
    assertThat(patient().on(limited, late, RULES).after().state())
        .isEqualTo(new Ended(EndReason.DECLINED, late));
  }

  @Test
  void anOfferThatIsGoneIsNoCapacity() {
    assertThat(patient().on(new Declined(0, Decline.OFFER_GONE), T0, RULES).after().state())
        .isEqualTo(new Ended(EndReason.NO_CAPACITY, T0));
  }
}
