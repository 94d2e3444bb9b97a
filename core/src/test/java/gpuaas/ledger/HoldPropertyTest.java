package gpuaas.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.ledger.Hold.Posting;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;

/** However the use of a lease is cut, it costs the same, and no money appears or is lost. */
class HoldPropertyTest {

  private static final Instant READY = Instant.parse("2026-01-01T00:00:00.123456Z");
  private static final LedgerRules RULES = LedgerRules.standard();
  private static final UUID LEASE = new UUID(0, 1);
  private static final UUID TENANT = new UUID(0, 2);
  private static final Evidence NONE = new Evidence(Evidence.Proof.INSPECTED, READY, "");

  @Property
  void anyCutsGiveTheSameBill(
      @ForAll @Size(max = 30) Set<@LongRange(min = 1, max = 100_000_000_000L) Long> cuts,
      @ForAll @LongRange(min = 1, max = 100_000_000_000L) long endMicros,
      @ForAll @IntRange(min = 1, max = 64) int gpuCount,
      @ForAll @LongRange(min = 0, max = 40_000_000) long price) {
    Set<Long> none = new TreeSet<>(Set.of(endMicros));
    Set<Long> some = new TreeSet<>(cuts);
    some.removeIf(cut -> cut > endMicros);
    some.add(endMicros);
    Posting whole = bill(none, gpuCount, price);
    Posting parts = bill(some, gpuCount, price);
    assertThat(parts.after().costMicros()).isEqualTo(whole.after().costMicros());
    assertThat(whole.after().costMicros())
        .as("a millionth is charged when it is used up")
        .isEqualTo(endMicros / 1_000_000 * (price * gpuCount) / 3600);
  }

  @Property
  void entriesAddUpToNothingAndNothingStaysHeld(
      @ForAll @Size(max = 30) Set<@LongRange(min = 1, max = 20_000_000_000L) Long> cuts,
      @ForAll @IntRange(min = 1, max = 8) int gpuCount,
      @ForAll @LongRange(min = 0, max = 40_000_000) long price) {
    Posting all = bill(new TreeSet<>(cuts), gpuCount, price);
    Map<UUID, Long> balances = new HashMap<>();
    for (Transfer transfer : all.transfers()) {
      balances.merge(transfer.debit(), -transfer.amountMicros(), Long::sum);
      balances.merge(transfer.credit(), transfer.amountMicros(), Long::sum);
    }
    assertThat(balances.values().stream().mapToLong(Long::longValue).sum()).isZero();
    assertThat(balance(balances, Account.Kind.HELD)).isZero();
    assertThat(balance(balances, Account.Kind.REVENUE)).isEqualTo(all.after().costMicros());
    assertThat(balance(balances, Account.Kind.FUNDS)).isEqualTo(-all.after().costMicros());
    assertThat(new HashSet<>(all.transfers().stream().map(Transfer::id).toList()))
        .as("each transfer has an id of its own")
        .hasSameSizeAs(all.transfers());
  }

  @Property
  void secondsAreThoseOfTheUnionOfAllParts(
      @ForAll @Size(min = 1, max = 30) Set<@LongRange(min = 1, max = 100_000_000_000L) Long> cuts) {
    long seconds = usage(new TreeSet<>(cuts), 1, 1).stream().mapToLong(Usage::seconds).sum();
    long last = cuts.stream().mapToLong(Long::longValue).max().orElseThrow();
    assertThat(seconds).isEqualTo(last / 1_000_000);
  }

  private static long balance(Map<UUID, Long> balances, Account.Kind kind) {
    return balances.getOrDefault(new Account(TENANT, kind, "USD").id(), 0L);
  }

  /** The life of a hold that is metered at these moments and filled up when it is low. */
  private static Posting bill(Set<Long> cuts, int gpuCount, long price) {
    Hold.Owner owner = new Hold.Owner(LEASE, TENANT, TENANT, Optional.empty());
    Posting opened = Hold.opened(owner, "H200", gpuCount, price, RULES, READY);
    List<Transfer> transfers = new ArrayList<>(opened.transfers());
    Hold hold = opened.after().started(READY);
    for (Usage usage : usage(cuts, gpuCount, price)) {
      Posting posting = Ledger.following(hold, Optional.empty(), List.of(usage), false, usage.to());
      transfers.addAll(posting.transfers());
      hold = posting.after();
      if (hold.isLow(RULES.holdFor())) {
        Posting filled = hold.filled(Hold.price(gpuCount, price, RULES.holdFor()), usage.to());
        transfers.addAll(filled.transfers());
        hold = filled.after();
      }
    }
    Posting closed = Ledger.following(hold, Optional.empty(), List.of(), true, READY);
    transfers.addAll(closed.transfers());
    assertThat(closed.after().closed(READY).transfers()).as("voided once").isEmpty();
    return new Posting(closed.after(), transfers);
  }

  private static List<Usage> usage(Set<Long> cuts, int gpuCount, long price) {
    List<Usage> usage = new ArrayList<>();
    Instant from = READY;
    for (long cut : cuts) {
      Instant to = READY.plus(Duration.ofNanos(cut * 1000));
      usage.add(new Usage(LEASE, READY, from, to, gpuCount, price, NONE, NONE));
      from = to;
    }
    return usage;
  }
}
