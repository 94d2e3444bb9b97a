package gpuaas.lease;

import static gpuaas.lease.Invariants.require;

import gpuaas.ledger.Account;
import gpuaas.ledger.Hold;
import gpuaas.ledger.Transfer;
import gpuaas.ledger.Usage;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.NullMarked;

/** What must hold of money after every event. */
@NullMarked
final class MoneyInvariants {

  private final Map<UUID, Long> balances = new HashMap<>();
  private final Map<UUID, Long> seconds = new HashMap<>();
  private final Map<UUID, Long> charged = new HashMap<>();
  private int transfersSeen;
  private int usageSeen;

  void check(SimulatedBook book) {
    boolean nothingNew =
        transfersSeen == book.ledger.transfers.size() && usageSeen == book.usage.size();
    if (nothingNew) {
      return;
    }
    addUp(book);
    entriesAddUpToNothing();
    accountsAreWhatHoldsAndBillsSay(book);
  }

  private void addUp(SimulatedBook book) {
    for (Transfer transfer :
        book.ledger.transfers.subList(transfersSeen, book.ledger.transfers.size())) {
      balances.merge(transfer.debit(), -transfer.amountMicros(), Long::sum);
      balances.merge(transfer.credit(), transfer.amountMicros(), Long::sum);
    }
    transfersSeen = book.ledger.transfers.size();
    for (Usage usage : book.usage.subList(usageSeen, book.usage.size())) {
      seconds.merge(usage.lease(), usage.seconds(), Long::sum);
      charged.merge(usage.lease(), usage.costMicros(), Long::sum);
    }
    usageSeen = book.usage.size();
  }

  private void entriesAddUpToNothing() {
    long sum = balances.values().stream().mapToLong(Long::longValue).sum();
    require(sum == 0, "all entries add up to %d", sum);
  }

  private void accountsAreWhatHoldsAndBillsSay(SimulatedBook book) {
    long held = 0;
    long cost = 0;
    for (Lease lease : book.leases.values()) {
      Hold hold = book.ledger.holds.get(lease.id());
      require(hold != null, "no hold: %s", lease);
      held += hold.heldMicros();
      cost += hold.costMicros();
      boolean over = lease.state().isOver();
      require(hold.closedAt().isPresent() == over, "its hold is %s: %s", hold, lease);
      require(
          hold.costMicros() == charged.getOrDefault(lease.id(), 0L),
          "cost %d, its use says %s",
          hold.costMicros(),
          charged.get(lease.id()));
      long whole =
          Usage.cost(
              seconds.getOrDefault(lease.id(), 0L), hold.gpuCount(), hold.pricePerGpuHourMicros());
      require(hold.costMicros() == whole, "billed %d instead of %d", hold.costMicros(), whole);
    }
    require(
        balance(book, Account.Kind.HELD) == held,
        "held are %d, holds say %d",
        balance(book, Account.Kind.HELD),
        held);
    require(
        balance(book, Account.Kind.REVENUE) == cost,
        "paid are %d, bills say %d",
        balance(book, Account.Kind.REVENUE),
        cost);
  }

  private long balance(SimulatedBook book, Account.Kind kind) {
    return book.leases.values().stream()
        .findFirst()
        .map(lease -> new Account(lease.tenant(), kind, SimulatedLedger.RULES.currency()))
        .map(account -> balances.getOrDefault(account.id(), 0L))
        .orElse(0L);
  }
}
