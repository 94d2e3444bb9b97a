package gpuaas.lease;

import gpuaas.events.Event;
import gpuaas.lease.LeaseHistory.Trouble;
import gpuaas.lease.LeaseState.Place;
import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceRef;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** What can happen to a lease. */
public sealed interface LeaseSignal {

  /** A place was found and taken. */
  record Placed(Place place) implements LeaseSignal {}

  /** The provider said no to this attempt, or nothing of it was ever seen. */
  record Declined(int attempt, Decline why) implements LeaseSignal {}

  /** The provider named the instance of this attempt. */
  record Created(int attempt, InstanceRef instance) implements LeaseSignal {}

  /** The instance was proved to answer. */
  record Answered(Endpoint ssh) implements LeaseSignal {}

  /** The running instance was just seen to be there. */
  record Metered() implements LeaseSignal {}

  /**
   * It shall end. Users, expiry, idleness, failure: all are this.
   *
   * @param correlationId of the request that asked; empty when the system asks
   */
  record StopAsked(EndReason why, String correlationId) implements LeaseSignal {
    /** Asked for by the system itself. */
    public StopAsked(EndReason why) {
      this(why, "");
    }
  }

  /**
   * Its environment shall be started anew, with the files, GPUs and end that it has.
   *
   * @param correlationId of the request that asked
   */
  record RestartAsked(String correlationId) implements LeaseSignal {}

  /** A spot lease is to make room, at this time. */
  record ReclaimAsked(Instant at) implements LeaseSignal {}

  /**
   * What pays for it will not last long.
   *
   * @param what such as {@code the budget of the project}
   * @param secondsLeft for how long it lasts
   */
  record FundsLow(String what, long secondsLeft) implements LeaseSignal {}

  /** Its user is to know something in good time. */
  record Warned(Warning warning, Map<String, String> details) implements LeaseSignal {
    /** True for what may be told of a lease that is over. */
    boolean isOfPast() {
      return switch (warning) {
        case BUDGET_WARNING, BUDGET_EXCEEDED, FILES_KEPT, FILES_LOST -> true;
        case ENDING_SOON, ENDING_SOONER, ENDING_SOONEST, IDLE, IDLE_UNKNOWN, DISK_FILLING -> false;
      };
    }
  }

  /** What a user is told of a lease: before it ends, of its files, of the budget that it used. */
  enum Warning {
    /** Its end time is near; told once for each end time. */
    ENDING_SOON(Event.Type.LEASE_ENDING_SOON, true),
    /** The same again, for those who are told more than once. */
    ENDING_SOONER(Event.Type.LEASE_ENDING_SOON, true),
    /** The same for the last time. */
    ENDING_SOONEST(Event.Type.LEASE_ENDING_SOON, true),
    /** Nobody uses it; told each time that it comes to this. */
    IDLE(Event.Type.LEASE_IDLE_WARNING, false),
    /** Whether anybody uses it cannot be known; told once. */
    IDLE_UNKNOWN(Event.Type.LEASE_IDLE_UNKNOWN, true),
    /** Much of a budget is used up; the budget remembers that it was told. */
    BUDGET_WARNING(Event.Type.LEASE_BUDGET_WARNING, false),
    /** A budget is used up; the same. */
    BUDGET_EXCEEDED(Event.Type.LEASE_BUDGET_EXCEEDED, false),
    /** Its disk is nearly full; the disk remembers that it was told. */
    DISK_FILLING(Event.Type.LEASE_DISK_FILLING, false),
    /** Its files are kept. */
    FILES_KEPT(Event.Type.LEASE_FILES_KEPT, true),
    /** Its files were to be kept, and are lost. */
    FILES_LOST(Event.Type.LEASE_FILES_LOST, true);

    /** Those before an end, in the order they come in. */
    static final List<Warning> OF_END = List.of(ENDING_SOON, ENDING_SOONER, ENDING_SOONEST);

    private final Event.Type type;
    private final boolean once;

    Warning(Event.Type type, boolean once) {
      this.type = type;
      this.once = once;
    }

    Event.Type type() {
      return type;
    }

    boolean once() {
      return once;
    }
  }

  /** Something is wrong with it that was not, or not any more. */
  record Troubled(Trouble now) implements LeaseSignal {}

  /** The provider says that there is nothing. */
  record Gone() implements LeaseSignal {}

  /**
   * Whoever runs the platform ends it without its provider's word.
   *
   * @param verifiedAbsent true: somebody has seen that nothing of it is left
   */
  record CleanupForced(boolean verifiedAbsent) implements LeaseSignal {}

  /** A provider's no. */
  enum Decline {
    NO_CAPACITY,
    OFFER_GONE,
    REJECTED,
    BAD_CREDENTIALS,
    RATE_LIMITED,
    UNREACHABLE,
    /** The answer was lost, and nothing with our tag was seen for long enough. */
    NEVER_SEEN;

    /** True for what is not there, or no longer. */
    boolean isNoRoom() {
      return this == NO_CAPACITY || this == OFFER_GONE;
    }

    /** True for what may be over soon, so that the same can be asked for again. */
    boolean mayPass() {
      return this == RATE_LIMITED || this == UNREACHABLE;
    }
  }

  /**
   * A signal that cannot come in this state: a bug of ours. Logged and counted, never shown to a
   * user.
   */
  final class Illegal extends IllegalStateException {
    Illegal(Lease lease, LeaseSignal signal) {
      super("lease " + lease.id() + " is " + lease.state().text() + " and got " + signal);
    }
  }
}
