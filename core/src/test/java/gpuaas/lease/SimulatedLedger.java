package gpuaas.lease;

import gpuaas.ledger.Hold;
import gpuaas.ledger.Ledger;
import gpuaas.ledger.LedgerRules;
import gpuaas.ledger.Transfer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.NullMarked;

/**
 * The money of the simulation: the decisions that ship, and the promise of the database that a
 * transfer is written once.
 */
@NullMarked
final class SimulatedLedger {

  static final LedgerRules RULES = LedgerRules.standard();

  final Map<UUID, Hold> holds = new HashMap<>();
  final List<Transfer> transfers = new ArrayList<>();

  private final Set<UUID> written = new HashSet<>();
  private final Mutation mutation;

  SimulatedLedger(Mutation mutation) {
    this.mutation = mutation;
  }

  /** As {@code Ledger.hold} does it. */
  void hold(Lease lease, Instant now) {
    var want = lease.spec().want();
    Hold.Posting opened =
        Hold.opened(
            lease.owner(),
            want.gpuModel(),
            want.gpuCount(),
            lease.pricePerGpuHourMicros(),
            RULES,
            now);
    holds.put(lease.id(), opened.after());
    if (mutation != Mutation.SKIP_HOLD) {
      post(opened.transfers());
    }
  }

  /** As {@code Ledger.follow} does it. */
  void follow(Change change, Instant now) {
    boolean over = change.after().state().isOver();
    Hold hold = holds.get(change.after().id());
    boolean nothing = change.startedAt().isEmpty() && change.usage().isEmpty() && !over;
    if (hold == null || nothing || hold.closedAt().isPresent()) {
      return;
    }
    Hold.Posting posting = Ledger.following(hold, change.startedAt(), change.usage(), over, now);
    post(posting.transfers());
    Hold after = posting.after();
    if (after.isLow(RULES.holdFor())) {
      long full = Hold.price(after.gpuCount(), after.pricePerGpuHourMicros(), RULES.holdFor());
      Hold.Posting filled = after.filled(full, now);
      post(filled.transfers());
      after = filled.after();
    }
    holds.put(change.after().id(), after);
  }

  private void post(List<Transfer> posted) {
    for (Transfer transfer : posted) {
      if (written.add(transfer.id())) {
        transfers.add(transfer);
        if (mutation == Mutation.POST_TWICE && transfer.kind() == Transfer.Kind.USAGE) {
          transfers.add(transfer);
        }
      }
    }
  }
}
