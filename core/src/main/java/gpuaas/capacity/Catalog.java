package gpuaas.capacity;

import gpuaas.capacity.Known.Failed;
import gpuaas.capacity.Known.Heard;
import gpuaas.catalog.OfferKey;
import gpuaas.db.Database;
import gpuaas.db.DatabaseGone;
import gpuaas.provider.Providers;
import gpuaas.spi.HasNodes;
import gpuaas.spi.Offer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The offers of all providers, for people who choose: our own machines and markets in one list,
 * with how likely each can be had.
 *
 * <p>Readers share a snapshot in memory and never wait for each other; only the very first look at
 * a provider waits for it. What a reader filters by never reaches a provider. A provider that
 * cannot be asked keeps what it said before, which counts less with age.
 */
public final class Catalog {

  private static final Logger log = LoggerFactory.getLogger(Catalog.class);

  private final NodeSync sync;
  private final List<String> names;
  private final Database database;
  private final InstantSource clock;
  private final CatalogRules rules;
  private final Set<String> owners;
  private final ReentrantLock making = new ReentrantLock();
  private final Map<String, Offer> past;
  private volatile @Nullable Shop shop;
  private volatile boolean groundMoved;

  public Catalog(
      NodeSync sync,
      Providers providers,
      Database database,
      InstantSource clock,
      CatalogRules rules) {
    this.sync = sync;
    this.names = providers.names();
    this.database = database;
    this.clock = clock;
    this.rules = rules;
    this.owners =
        names.stream()
            .filter(name -> providers.ability(name, HasNodes.class).isPresent())
            .collect(Collectors.toSet());
    this.past = Collections.synchronizedMap(new Past(rules.rememberedMost()));
  }

  /**
   * One thing that can be had. Of our own machines there is one for each of 1, 2, 4 and 8 GPUs that
   * one machine could give; a lease that takes it wants {@code OfferKey.of(offer)} and {@code
   * gpuCount}.
   *
   * @param id the provider, the offer's id, and for more than one GPU of our own their number, as
   *     in {@code local-node-1:h200-x2}
   * @param offer for that number of GPUs; its {@code seenAt} is how fresh this is
   * @param pricePerHourMicros for all its GPUs: what the market asks; for our own machines what the
   *     price book says of that number in that region, or if that says nothing what the provider
   *     asks
   * @param memoryGbPerGpu as people say it: 24564 MiB are 24, those of an L40S 48
   * @param confidence from 0 to 1, how likely it can be had
   * @param available false: nobody offers it any more, or no machine of ours has so many free
   * @param suppressed hidden for a while, since it failed again and again
   */
  public record Listed(
      String id,
      Offer offer,
      long pricePerHourMicros,
      int gpuCount,
      int memoryGbPerGpu,
      double confidence,
      boolean available,
      boolean suppressed) {}

  /**
   * What can be had.
   *
   * @param offers best first
   * @param failures why nothing at all is known of a provider, by its name
   */
  public record Look(List<Listed> offers, Map<String, String> failures) {}

  /** What went wrong with an offer that was taken. */
  public enum Failure {
    /** It could not be had. */
    STALE_INVENTORY,
    SSH_TIMEOUT,
    INSTANCE_STOPPED,
    INSTANCE_VANISHED,
    AUTH_FAILED,
    UNKNOWN
  }

  /**
   * What failures say now.
   *
   * @param gpuTypes of all providers, whatever was filtered by
   */
  public record Health(List<OfferReport> offers, List<GpuReport> gpuTypes) {}

  /**
   * An offer that failed lately.
   *
   * @param id as in the list
   * @param multiplier what is left of the confidence in it; 0 while it is suppressed
   */
  public record OfferReport(
      String id,
      OfferKey offer,
      String gpuModel,
      int recentFailures,
      Optional<Instant> suppressedAt,
      Optional<Instant> suppressedUntil,
      double multiplier,
      Instant lastFailureAt,
      Failure lastFailure,
      String lastReason) {}

  /**
   * A GPU model of a provider, some of whose offers failed lately.
   *
   * @param degraded true: all offers of it count {@code multiplier}
   */
  public record GpuReport(
      String provider, String gpuModel, int failedOffers, boolean degraded, double multiplier) {}

  /** What an offer is called in the list. */
  static String id(OfferKey offer) {
    return offer.provider() + "-" + offer.id();
  }

  /**
   * What can be had now and is not hidden: by confidence, the highest first, then price, then id.
   *
   * @param provider only of this one; empty: of all
   * @throws DatabaseGone when nothing was ever listed and the database is away
   */
  public Look list(Optional<String> provider) {
    List<String> asked = provider.map(List::of).orElse(names);
    hear(asked);
    return seen(asked, provider);
  }

  /**
   * What {@link #list} said last of all providers, for those who must not wait: nothing is asked.
   */
  public List<Listed> seen() {
    return seen(names, Optional.empty()).offers();
  }

  private Look seen(List<String> asked, Optional<String> provider) {
    Shop now = shop();
    List<Listed> offers =
        provider.map(name -> now.byProvider().getOrDefault(name, List.of())).orElse(now.shown());
    return new Look(Collections.unmodifiableList(offers), failures(asked, now));
  }

  private Map<String, String> failures(List<String> asked, Shop now) {
    Map<String, String> failures = new LinkedHashMap<>();
    for (String name : asked) {
      if (!now.heard().containsKey(name)) {
        failures.put(
            name, sync.known(name).failed().map(Failed::why).orElse("has not answered yet"));
      }
    }
    return failures;
  }

  /**
   * What has this id: also what is hidden or taken, and what was offered within a day and is not
   * any more.
   */
  public Optional<Listed> find(String id) {
    hear(names);
    return findSeen(id);
  }

  /** The same for those who must not wait: nothing is asked. */
  public Optional<Listed> findSeen(String id) {
    Shop now = shop();
    return Optional.ofNullable(now.byId().get(id)).or(() -> gone(id, now));
  }

  private Optional<Listed> gone(String id, Shop now) {
    return Optional.ofNullable(past.get(id))
        .filter(offer -> offer.seenAt().isAfter(clock.instant().minus(rules.rememberedFor())))
        .map(offer -> {
          Heard last = new Heard(List.of(offer), offer.seenAt(), 0);
          Shop then = make(Map.of(offer.provider(), last), now.ground(), clock.instant());
          return Objects.requireNonNull(then.byId().get(id));
        })
        .map(listed ->
            new Listed(
                id,
                listed.offer(),
                listed.pricePerHourMicros(),
                listed.gpuCount(),
                listed.memoryGbPerGpu(),
                listed.confidence(),
                false,
                listed.suppressed()));
  }

  /** An offer that was taken came to nothing. */
  public void failed(OfferKey offer, String gpuModel, Failure why, String reason) {
    came(new Outcome(offer, gpuModel, Optional.of(why), reason, clock.instant()));
  }

  /** An offer that was taken became a machine. */
  public void worked(OfferKey offer) {
    came(new Outcome(offer, "", Optional.empty(), "", clock.instant()));
  }

  private void came(Outcome outcome) {
    Instant keepFrom = outcome.at().minus(rules.confidence().longest());
    database.run(tx -> OutcomeStore.add(tx, outcome, keepFrom));
    groundMoved = true;
  }

  /** What failures say now. Both filters are for the offers only. */
  public Health health(Optional<String> provider, Optional<String> gpuModel) {
    return new OfferHealth(shop().ground().outcomes(), clock.instant(), rules.confidence())
        .report(provider, gpuModel);
  }

  /**
   * Sees to it that providers are heard. Waits for those that were never asked; for one that did
   * not answer before only when there is nothing else to show, so that it holds up nobody who looks
   * for others.
   */
  private void hear(List<String> asked) {
    Instant now = clock.instant();
    boolean nothing = asked.stream().allMatch(name -> sync.known(name).heard().isEmpty());
    List<CompletableFuture<Known>> first = new ArrayList<>();
    for (String name : asked) {
      Known known = sync.known(name);
      if (isDue(known, now)) {
        CompletableFuture<Known> answer = sync.askIf(name, late -> isDue(late, now));
        if (known.heard().isEmpty() && (nothing || known.failed().isEmpty())) {
          first.add(answer);
        }
      }
    }
    if (first.isEmpty()) {
      return;
    }
    try {
      var _ =
          CompletableFuture.allOf(first.toArray(CompletableFuture[]::new))
              .get(rules.waitMost().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException | ExecutionException _) {
      // Then nothing is known of it yet, and that is what is said.
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isDue(Known known, Instant now) {
    boolean rests =
        known.failed().map(no -> now.isBefore(no.at().plus(rules.retryAfter()))).orElse(false);
    Duration refreshAfter =
        rules.freshFor().multipliedBy(rules.refreshFromPercent()).dividedBy(100);
    return !rests
        && known.heard().map(last -> !now.isBefore(last.at().plus(refreshAfter))).orElse(true);
  }

  /** The snapshot. One makes a new one when it is time; all others go on with the old. */
  private Shop shop() {
    Shop current = shop;
    if (current != null && (isCurrent(current) || !making.tryLock())) {
      return current;
    }
    if (current == null) {
      making.lock();
    }
    try {
      current = shop;
      if (current == null || !isCurrent(current)) {
        current = renewed(current);
        shop = current;
      }
      return current;
    } finally {
      making.unlock();
    }
  }

  private boolean isCurrent(Shop made) {
    return !groundMoved
        && clock.instant().isBefore(made.madeAt().plus(rules.lookEvery()))
        && isHeard(made);
  }

  private boolean isHeard(Shop made) {
    for (String name : names) {
      Heard from = made.heard().get(name);
      if (sync.known(name).number() != (from == null ? 0 : from.number())) {
        return false;
      }
    }
    return true;
  }

  private Shop renewed(@Nullable Shop before) {
    Instant now = clock.instant();
    groundMoved = false;
    Ground ground = ground(before, now);
    if (before != null && !isMoved(before, ground, now)) {
      return before.still(now);
    }
    Map<String, Heard> heard = new LinkedHashMap<>();
    for (String name : names) {
      sync.known(name).heard().ifPresent(last -> heard.put(name, last));
    }
    Shop made = make(heard, ground, now);
    if (before != null) {
      before
          .byId()
          .forEach((id, listed) -> {
            if (!made.byId().containsKey(id)) {
              past.put(id, listed.offer());
            }
          });
    }
    return made;
  }

  /** What follows from what is known may change with time alone. */
  private boolean isMoved(Shop before, Ground ground, Instant now) {
    return !isHeard(before)
        || !ground.equals(before.ground())
        || !ground.outcomes().isEmpty()
        || before.oldest().plus(rules.confidence().agesFrom()).isBefore(now);
  }

  private Ground ground(@Nullable Shop before, Instant now) {
    try {
      return database.read(tx -> Ground.read(tx, now.minus(rules.confidence().longest())));
    } catch (DatabaseGone e) {
      if (before == null) {
        throw e;
      }
      log.warn("free GPUs and failures are as they were {}: {}", before.madeAt(), e.getMessage());
      return before.ground();
    }
  }

  private Shop make(Map<String, Heard> heard, Ground ground, Instant now) {
    OfferHealth health = new OfferHealth(ground.outcomes(), now, rules.confidence());
    return Shop.of(heard, owners, ground, health, now);
  }

  /** Offers that are gone, the latest of them. */
  private static final class Past extends LinkedHashMap<String, Offer> {

    private static final long serialVersionUID = 1;

    private final int most;

    Past(int most) {
      this.most = most;
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<String, Offer> eldest) {
      return size() > most;
    }
  }
}
