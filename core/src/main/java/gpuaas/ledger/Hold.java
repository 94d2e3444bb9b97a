package gpuaas.ledger;

import gpuaas.ledger.Account.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What is set aside for a lease, and what it has cost. Use is paid from it first, then straight
 * from the funds; while the lease runs it is filled up again; at the end the rest goes back.
 *
 * @param heldMicros set aside now
 * @param costMicros paid so far
 * @param refills how often it was filled up
 * @param startedAt when the lease was proved to be ready; empty: it has cost nothing
 * @param usedTo up to when use is paid
 * @param closedAt when it was voided: nothing more is paid
 */
public record Hold(
    Owner owner,
    String gpuModel,
    int gpuCount,
    long pricePerGpuHourMicros,
    String currency,
    Instant madeAt,
    long heldMicros,
    long costMicros,
    int refills,
    Optional<Instant> startedAt,
    Optional<Instant> usedTo,
    Optional<Instant> closedAt) {

  /** Whose it is. */
  public record Owner(UUID lease, UUID tenant, UUID project, Optional<UUID> apiKey) {}

  /** A hold as it is afterwards, and the money that moves for it. */
  public record Posting(Hold after, List<Transfer> transfers) {
    public Posting {
      transfers = List.copyOf(transfers);
    }
  }

  /** A lease costs this for the time that a hold lasts. */
  public static long price(int gpuCount, long pricePerGpuHourMicros, Duration holdFor) {
    return Usage.cost(holdFor.toSeconds(), gpuCount, pricePerGpuHourMicros);
  }

  /** The hold of a new lease. */
  public static Posting opened(
      Owner owner,
      String gpuModel,
      int gpuCount,
      long pricePerGpuHourMicros,
      LedgerRules rules,
      Instant now) {
    Hold none =
        new Hold(
            owner,
            gpuModel,
            gpuCount,
            pricePerGpuHourMicros,
            rules.currency(),
            now,
            0,
            0,
            0,
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    return none.filled(price(gpuCount, pricePerGpuHourMicros, rules.holdFor()), now);
  }

  /** From now on use counts. */
  public Hold started(Instant at) {
    return with(heldMicros, costMicros, refills, Optional.of(at), Optional.of(at), closedAt);
  }

  /** Use is paid: from what is set aside, and what that does not cover from the funds. */
  public Posting used(Usage usage) {
    long cost = usage.costMicros();
    long fromHeld = Math.min(cost, heldMicros);
    String cause = owner.lease() + "/usage/" + usage.from();
    List<Transfer> transfers = new ArrayList<>();
    pay(transfers, cause + "/held", Kind.HELD, fromHeld, usage);
    pay(transfers, cause + "/funds", Kind.FUNDS, cost - fromHeld, usage);
    Hold after =
        with(
            heldMicros - fromHeld,
            Math.addExact(costMicros, cost),
            refills,
            startedAt,
            Optional.of(usage.to()),
            closedAt);
    return new Posting(after, transfers);
  }

  private void pay(
      List<Transfer> transfers, String cause, Kind from, long amountMicros, Usage usage) {
    if (amountMicros > 0) {
      transfers.add(
          transfer(
              cause,
              from,
              Kind.REVENUE,
              amountMicros,
              Transfer.Kind.USAGE,
              usage.to(),
              "use from " + usage.from() + " to " + usage.to()));
    }
  }

  /** True when less than half is left, so that it should be filled up. */
  public boolean isLow(Duration holdFor) {
    return closedAt.isEmpty()
        && startedAt.isPresent()
        && heldMicros < price(gpuCount, pricePerGpuHourMicros, holdFor) / 2;
  }

  /** Filled up to this, if it is not that full. */
  public Posting filled(long upToMicros, Instant now) {
    long missing = upToMicros - heldMicros;
    if (missing <= 0) {
      return new Posting(this, List.of());
    }
    Transfer transfer =
        transfer(
            owner.lease() + "/hold/" + refills,
            Kind.FUNDS,
            Kind.HELD,
            missing,
            Transfer.Kind.HOLD,
            now,
            "set aside for the lease");
    return new Posting(
        with(heldMicros + missing, costMicros, refills + 1, startedAt, usedTo, closedAt),
        List.of(transfer));
  }

  /** Nothing more will be used: the rest goes back. */
  public Posting closed(Instant now) {
    if (closedAt.isPresent()) {
      return new Posting(this, List.of());
    }
    Hold after = with(0, costMicros, refills, startedAt, usedTo, Optional.of(now));
    if (heldMicros == 0) {
      return new Posting(after, List.of());
    }
    Transfer back =
        transfer(
            owner.lease() + "/void",
            Kind.HELD,
            Kind.FUNDS,
            heldMicros,
            Transfer.Kind.VOID,
            now,
            "set aside and not needed");
    return new Posting(after, List.of(back));
  }

  private Transfer transfer(
      String cause,
      Kind from,
      Kind to,
      long amountMicros,
      Transfer.Kind kind,
      Instant at,
      String reason) {
    return new Transfer(
        Transfer.idOf(cause),
        owner.tenant(),
        account(from).id(),
        account(to).id(),
        amountMicros,
        kind,
        Optional.of(owner.lease()),
        at,
        reason);
  }

  private Account account(Kind kind) {
    return new Account(owner.tenant(), kind, currency);
  }

  /** What it costs for each hour. */
  public long pricePerHourMicros() {
    return Math.multiplyExact(pricePerGpuHourMicros, gpuCount);
  }

  private Hold with(
      long held,
      long cost,
      int filledUp,
      Optional<Instant> started,
      Optional<Instant> used,
      Optional<Instant> closed) {
    return new Hold(
        owner,
        gpuModel,
        gpuCount,
        pricePerGpuHourMicros,
        currency,
        madeAt,
        held,
        cost,
        filledUp,
        started,
        used,
        closed);
  }
}
