package gpuaas.shopper;

import gpuaas.access.KeyPairs;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.capacity.Catalog;
import gpuaas.capacity.Catalog.Failure;
import gpuaas.capacity.Catalog.Listed;
import gpuaas.catalog.OfferKey;
import gpuaas.db.Database;
import gpuaas.db.Duplicate;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseListStore;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseState;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.Leases;
import gpuaas.shopper.SessionSpecs.Retry;
import gpuaas.shopper.ShopperDialect.ShopperSettings;
import gpuaas.spi.ProviderException;
import gpuaas.spi.market.HasTemplates.Template;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntUnaryOperator;

/**
 * Makes sessions: the offer that was asked for, or, if that is wanted, another one in its place.
 * What was accepted goes on whatever becomes of the caller.
 */
final class SessionCreation {

  private static final int ALTERNATIVES_MOST = 5;
  private static final int ACTIVE_MOST = 1000;
  private static final Set<String> ACTIVE = Set.of("waiting", "provisioning", "booting", "running");

  private final Database database;
  private final Leases leases;
  private final Catalog catalog;
  private final Templates templates;
  private final SessionKeys keys;
  private final ShopperSettings settings;
  private final IntUnaryOperator draw;

  /**
   * @param draw a random number below the given one
   */
  SessionCreation(
      Database database,
      Leases leases,
      Catalog catalog,
      Templates templates,
      SessionKeys keys,
      ShopperSettings settings,
      IntUnaryOperator draw) {
    this.database = database;
    this.leases = leases;
    this.catalog = catalog;
    this.templates = templates;
    this.keys = keys;
    this.settings = settings;
    this.draw = draw;
  }

  /** What came of it. */
  sealed interface Outcome {
    /**
     * @param privateKey a secret, shown once
     * @param retries how many offers were gone before this one
     */
    record Made(Lease lease, String privateKey, int retries) implements Outcome {
      @Override
      public String toString() {
        return "Made[" + lease.id() + "]"; // never the secret
      }
    }

    /** There is no such offer. */
    record NoOffer() implements Outcome {}

    /** There is not enough disk in the request. */
    record LittleDisk(DiskEstimate estimate) implements Outcome {}

    /**
     * The offer is gone.
     *
     * @param next what could be had instead, best first
     */
    record Stale(Listed offer, List<Listed> next) implements Outcome {}

    /** The provider did not do it. */
    record Failed(Listed offer, String why) implements Outcome {}
  }

  /** Makes one. */
  Outcome create(Caller caller, SessionRequest asked) {
    Optional<Listed> found = catalog.find(asked.offerId());
    if (found.isEmpty()) {
      return new Outcome.NoOffer();
    }
    refuseSecond(caller, asked.consumerId(), found.get());
    Optional<Template> template = template(asked, found.get());
    int templateGb = template.map(Template::diskGb).orElse(0);
    Optional<DiskEstimate> estimate =
        DiskEstimate.of(asked.modelId(), asked.quantization(), template.isPresent(), templateGb);
    if (estimate
        .filter(least -> asked.diskGb() > 0 && asked.diskGb() < least.minimumGb())
        .isPresent()) {
      return new Outcome.LittleDisk(estimate.get());
    }
    int diskGb =
        asked.diskGb() > 0 ? asked.diskGb() : estimate.map(DiskEstimate::recommendedGb).orElse(0);
    return create(caller, asked, found.get(), template, diskGb, keys.next());
  }

  private Outcome create(
      Caller caller,
      SessionRequest asked,
      Listed first,
      Optional<Template> template,
      int diskGb,
      KeyPairs.Pair pair) {
    List<String> gone = new ArrayList<>();
    Retry retry = Retry.NONE;
    Listed offer = first;
    while (true) {
      LeaseSpec spec =
          SessionSpecs.of(
              asked,
              offer,
              template,
              diskGb,
              pair.publicKey().line(),
              settings.placementWait(),
              retry);
      Optional<Lease> lease = request(caller, spec, asked.consumerId(), offer).map(this::placed);
      Optional<EndReason> failure =
          lease.isEmpty() ? Optional.of(EndReason.NO_CAPACITY) : failure(lease.get());
      if (failure.isEmpty()) {
        catalog.worked(OfferKey.of(offer.offer()));
        return new Outcome.Made(lease.orElseThrow(), pair.privateKey(), gone.size());
      }
      if (failure.get() != EndReason.NO_CAPACITY) {
        // It may be the request that was no good: that says nothing of the offer.
        return new Outcome.Failed(
            offer,
            "CreateInstance failed: the request was declined; perhaps its image, template, ports or"
                + " start command cannot be had there");
      }
      // Full by what we hold ourselves says nothing of the offer; a market's no does.
      boolean marketsNo = lease.flatMap(failed -> failed.history().provider()).isPresent();
      if (marketsNo && SessionSpecs.isPlain(spec)) {
        catalog.failed(
            OfferKey.of(offer.offer()),
            offer.offer().gpu().model(),
            Failure.STALE_INVENTORY,
            failure.get().text());
      }
      gone.add(offer.id());
      Optional<Listed> next =
          gone.size() > asked.retriesMost()
              ? Optional.empty()
              : RetryScope.draw(candidates(asked.retryScope(), first, gone), draw);
      if (next.isEmpty()) {
        return new Outcome.Stale(
            offer,
            candidates(RetryScope.SAME_GPU, first, gone).stream()
                .limit(ALTERNATIVES_MOST)
                .toList());
      }
      String parent = lease.map(failed -> failed.id().toString()).orElse(retry.parent());
      retry = new Retry(parent, gone.size(), String.join(",", gone));
      offer = next.get();
    }
  }

  private List<Listed> candidates(RetryScope scope, Listed first, List<String> gone) {
    return scope.candidates(first, catalog.list(Optional.empty()).offers(), new HashSet<>(gone));
  }

  private Optional<Template> template(SessionRequest asked, Listed offer) {
    if (asked.templateHashId().isEmpty()) {
      return Optional.empty();
    }
    try {
      Optional<Template> found =
          templates.has(offer.offer().provider())
              ? templates.find(asked.templateHashId())
              : Optional.empty();
      return Optional.of(
          found.orElseThrow(() ->
              new Refused(
                  new Refusal.Unreadable(
                      "template not found: " + ShopperErrors.quoted(asked.templateHashId())))));
    } catch (ProviderException couldNotAsk) {
      throw new Refused(new Refusal.NotReady("the market's templates", Duration.ofSeconds(5)));
    }
  }

  /** Written, and on its way, when this returns; empty: the offer is not even known any more. */
  private Optional<Lease> request(Caller caller, LeaseSpec spec, String consumer, Listed offer) {
    try {
      return Optional.of(database.tx(tx -> leases.request(tx, caller, spec, Optional.empty())));
    } catch (Refused no) {
      if (no.refusal() instanceof Refusal.UnknownGpu) {
        return Optional.empty();
      }
      throw no;
    } catch (Duplicate sameMoment) {
      refuseSecond(caller, consumer, offer);
      throw second(consumer, offer, "", "pending"); // it ended as we looked
    }
  }

  private Lease placed(Lease lease) {
    try {
      return leases.await(lease.id(), LeaseState::isPlacedOrOver, settings.placementWait());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return lease; // it goes on by itself
    }
  }

  private static Optional<EndReason> failure(Lease lease) {
    return lease.state() instanceof Ended ended && ended.why().isFailure()
        ? Optional.of(ended.why())
        : Optional.empty();
  }

  private void refuseSecond(Caller caller, String consumer, Listed offer) {
    LeaseListStore.Filter active =
        LeaseListStore.Filter.of(
            Optional.of(consumer), Set.of(), Optional.empty(), ACTIVE, Optional.empty());
    leases.list(caller, active, ACTIVE_MOST).stream()
        .filter(lease -> offer.id().equals(lease.spec().notes().get(SessionSpecs.OFFER)))
        .findFirst()
        .ifPresent(lease -> {
          throw second(consumer, offer, lease.id().toString(), SessionView.status(lease.state()));
        });
  }

  private static Refused second(String consumer, Listed offer, String session, String status) {
    return new Refused(
        new Refusal.Exists(
            Kind.LEASE,
            "consumer "
                + ShopperErrors.quoted(consumer)
                + " already has active session "
                + session
                + " for offer "
                + offer.id()
                + " (status: "
                + status
                + ")"));
  }
}
