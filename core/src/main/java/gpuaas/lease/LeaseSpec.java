package gpuaas.lease;

import gpuaas.catalog.Gang;
import gpuaas.catalog.Want;
import gpuaas.spi.InstanceRequest.Launch;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * What was asked for. Never changes.
 *
 * @param image by name; empty: the provider's default environment
 * @param sshKeys ids of registered keys that open it
 * @param ownKeys public keys that open this lease and no other, as lines of OpenSSH
 * @param environment variables for every process inside
 * @param launch how its instance is to begin
 * @param term how long it runs; empty: until somebody stops it
 * @param termFromRequest true: the term counts from when it was asked for, whether it runs or not
 * @param bootLimit how long it may take to answer; empty: as long as the rules say
 * @param whenFull what to do when there is no room
 * @param patience how long to look for room before {@code FAIL} fails, or {@code QUEUE} gives up;
 *     zero: {@code FAIL} looks once, {@code QUEUE} never gives up
 * @param onlyOne no two leases of a project that are active have the same of these
 * @param disk its home folder; empty: one of its own that ends with it
 * @param keep under which name the files of its home folder are kept when it ends, and those that
 *     were kept are put there when it begins; empty: they end with it
 * @param command what it runs by itself as soon as it answers; empty: nothing
 * @param ending what its user is told before its end, and how long it goes on after it
 * @param notes what its maker has to remember about it; means nothing to us
 * @param gang its part in a gang, with which it begins and ends; empty: it is by itself
 * @param priority those with a higher one come first in the queue; 0 is usual
 */
public record LeaseSpec(
    Want want,
    String image,
    List<UUID> sshKeys,
    List<String> ownKeys,
    Map<String, String> environment,
    Launch launch,
    Optional<Duration> term,
    boolean termFromRequest,
    Optional<Duration> bootLimit,
    WhenFull whenFull,
    Duration patience,
    Guards guards,
    Optional<UUID> disk,
    Optional<String> keep,
    Map<String, String> notes,
    Optional<String> onlyOne,
    Optional<Command> command,
    Ending ending,
    Optional<Gang> gang,
    int priority) {

  /** The most and, below zero, the least that a priority may be. */
  public static final int PRIORITY_MOST = 100;

  /** The note that says for whom of the caller's own users it is. */
  public static final String CONSUMER = "consumer_id";

  /** The note that names the lease in whose place it was asked for. */
  public static final String PARENT = "retry_parent_id";

  /** The note that names the group it belongs to. */
  public static final String GROUP = "group_id";

  public LeaseSpec {
    sshKeys = List.copyOf(sshKeys);
    environment = Map.copyOf(environment);
    // Rows that were written before these existed have none of them.
    ownKeys = ownKeys == null ? List.of() : List.copyOf(ownKeys);
    launch = launch == null ? Launch.PLAIN : launch;
    bootLimit = bootLimit == null ? Optional.empty() : bootLimit;
    onlyOne = onlyOne == null ? Optional.empty() : onlyOne;
    disk = disk == null ? Optional.empty() : disk;
    keep = keep == null ? Optional.empty() : keep;
    notes = notes == null ? Map.of() : Map.copyOf(notes);
    patience = patience == null ? Duration.ZERO : patience;
    command = command == null ? Optional.empty() : command;
    ending = ending == null ? Ending.PLAIN : ending;
    guards = guards == null ? Guards.NONE : guards;
    gang = gang == null ? Optional.empty() : gang;
  }

  /** A lease by itself, which runs nothing by itself and is stopped at its end. */
  public LeaseSpec(
      Want want,
      String image,
      List<UUID> sshKeys,
      List<String> ownKeys,
      Map<String, String> environment,
      Launch launch,
      Optional<Duration> term,
      boolean termFromRequest,
      Optional<Duration> bootLimit,
      WhenFull whenFull,
      Duration patience,
      Guards guards,
      Optional<UUID> disk,
      Optional<String> keep,
      Map<String, String> notes,
      Optional<String> onlyOne) {
    this(
        want,
        image,
        sshKeys,
        ownKeys,
        environment,
        launch,
        term,
        termFromRequest,
        bootLimit,
        whenFull,
        patience,
        guards,
        disk,
        keep,
        notes,
        onlyOne,
        Optional.empty(),
        Ending.PLAIN,
        Optional.empty(),
        0);
  }

  /** When a lease that was asked for at this time gives up waiting in the queue. */
  Optional<Instant> givesUp(Instant createdAt) {
    boolean ever = whenFull == WhenFull.QUEUE && patience.isPositive();
    return ever ? Optional.of(createdAt.plus(patience)) : Optional.empty();
  }

  /** The same with something written on it. */
  public LeaseSpec noting(String name, String text) {
    Map<String, String> all = new HashMap<>(notes);
    all.put(name, text);
    return with(all, gang);
  }

  /** The same as a member of a gang. */
  public LeaseSpec in(Gang member) {
    return with(notes, Optional.of(member));
  }

  private LeaseSpec with(Map<String, String> otherNotes, Optional<Gang> otherGang) {
    return new LeaseSpec(
        want,
        image,
        sshKeys,
        ownKeys,
        environment,
        launch,
        term,
        termFromRequest,
        bootLimit,
        whenFull,
        patience,
        guards,
        disk,
        keep,
        otherNotes,
        onlyOne,
        command,
        ending,
        otherGang,
        priority);
  }

  /** A lease that begins as providers do it, opened by registered keys. */
  public LeaseSpec(
      Want want,
      String image,
      List<UUID> sshKeys,
      Map<String, String> environment,
      Optional<Duration> term,
      WhenFull whenFull,
      Duration patience,
      Guards guards) {
    this(
        want,
        image,
        sshKeys,
        List.of(),
        environment,
        Launch.PLAIN,
        term,
        false,
        Optional.empty(),
        whenFull,
        patience,
        guards,
        Optional.empty(),
        Optional.empty(),
        Map.of(),
        Optional.empty());
  }

  /**
   * What it runs by itself.
   *
   * @param text for a shell
   * @param endsLease true: the lease ends when the command does
   */
  public record Command(String text, boolean endsLease) {}

  /** A lease in the queue, until somebody stops it. */
  public static LeaseSpec queued(Want want, String image, List<UUID> sshKeys) {
    return new LeaseSpec(
        want,
        image,
        sshKeys,
        Map.of(),
        Optional.empty(),
        WhenFull.QUEUE,
        Duration.ZERO,
        Guards.NONE);
  }

  /**
   * How it ends.
   *
   * @param warnBefore how long before its end its user is told, the longest first, three times at
   *     most; empty: once, as the rules say
   * @param grace for how long it goes on after its end, for those who are late
   */
  public record Ending(List<Duration> warnBefore, Duration grace) {

    /** As the rules say, and no grace. */
    public static final Ending PLAIN = new Ending(List.of(), Duration.ZERO);

    public Ending {
      warnBefore = List.copyOf(warnBefore);
    }
  }

  /** What to do when there is no room. */
  public enum WhenFull {
    /** Wait in turn. */
    QUEUE,
    /** End when there is still none after some patience. */
    FAIL
  }

  /**
   * What keeps a lease from costing more than was meant.
   *
   * @param maxPricePerHourMicros for the whole lease; refused when the price is above it
   * @param idle when to end it because nobody uses it
   */
  public record Guards(Optional<Long> maxPricePerHourMicros, Optional<Idle> idle) {

    /** Nothing is guarded. */
    public static final Guards NONE = new Guards(Optional.empty(), Optional.empty());

    /**
     * Nobody uses it: no GPU work, nobody in by SSH or terminal, and the processor below a
     * threshold, all of that for this long.
     *
     * @param cpuPercentBelow of all processors of the lease together
     */
    public record Idle(Duration after, int cpuPercentBelow) {}
  }
}
