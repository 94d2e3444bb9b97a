package gpuaas.market;

import gpuaas.market.Machine.Phase;
import gpuaas.spi.Endpoint;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.HasUtilization;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.InstanceStatus.Failed;
import gpuaas.spi.InstanceStatus.Starting;
import gpuaas.spi.InstanceStatus.Up;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import gpuaas.spi.market.HasPublicPorts;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A market of machines that are rented over HTTP and entered by SSH. What is the same for all of
 * them is here: one machine for one tag, never more than was agreed, gone is not the same as
 * unheard of, and up only when it could be entered.
 */
public class MarketProvider implements Provider, HasExec, HasPublicPorts, HasUtilization {

  private static final Logger log = LoggerFactory.getLogger(MarketProvider.class);
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9-]{1,64}");
  private static final int REMEMBERED_MOST = 10_000;
  private static final Duration SHORT_PAUSE = Duration.ofSeconds(1);
  private static final Duration LONG_PAUSE = Duration.ofSeconds(5);

  private final String name;
  private final MarketApi api;
  private final MachineShell shell;
  private final InstantSource clock;
  private final Rules rules;
  private final Looks looks;
  private final OfferShelf offers;

  /** Who was asked for what, in this process: a tag is never asked for twice. */
  private final Remembered<OwnerTag, Optional<String>> asked = new Remembered<>(REMEMBERED_MOST);

  /** When we were told of a machine that we made. */
  private final Remembered<String, Instant> made = new Remembered<>(REMEMBERED_MOST);

  private final Remembered<String, Instant> firstSeen = new Remembered<>(REMEMBERED_MOST);
  private final Remembered<String, Boolean> keyed = new Remembered<>(REMEMBERED_MOST);
  private final Remembered<String, Boolean> destroyed = new Remembered<>(REMEMBERED_MOST);
  // when it was last not there
  private final Remembered<String, Instant> gone = new Remembered<>(REMEMBERED_MOST);
  private final Remembered<String, Instant> silentSince = new Remembered<>(REMEMBERED_MOST);
  private final Remembered<String, Endpoint> endpoints = new Remembered<>(REMEMBERED_MOST);

  /**
   * How patient to be.
   *
   * @param appearLimit how long a machine that was just made may be unknown to its market
   * @param silentLimit how long a market may not hear from a machine before it counts as lost
   * @param simulated whether its machines share one with others, and have no GPUs
   */
  public record Rules(
      Duration appearLimit,
      Duration silentLimit,
      Duration lookEvery,
      Duration offersEvery,
      int offersMost,
      boolean simulated) {}

  public MarketProvider(
      String name, MarketApi api, MachineShell shell, InstantSource clock, Rules rules) {
    this.name = name;
    this.api = api;
    this.shell = shell;
    this.clock = clock;
    this.rules = rules;
    this.looks = new Looks(api, clock, rules.lookEvery());
    this.offers = new OfferShelf(api, clock, rules.offersEvery(), rules.offersMost());
  }

  @Override
  public List<Offer> offers(OfferQuery query) {
    return offers.get().stream()
        .filter(offer -> query.gpuModel().isEmpty() || query.gpuModel().equals(offer.gpu().model()))
        .filter(offer -> offer.gpuCountMost() >= query.gpuCountLeast())
        .limit(query.limit())
        .toList();
  }

  @Override
  public InstanceRef create(InstanceRequest request) {
    if (!offers.mayBeWhole(request.offer())) {
      throw new ProviderException.OfferGone("this offer cannot be divided");
    }
    MarketLabel label = MarketLabel.of(request);
    Optional<Optional<String>> before = asked.putIfNew(request.tag(), Optional.empty());
    if (before.isPresent()) {
      return new InstanceRef(name, before.get().orElseGet(() -> findAgain(request.tag())));
    }
    try {
      String id = api.create(request, label, shell.keys().publicLine());
      made.put(id, clock.instant());
      asked.put(request.tag(), Optional.of(id));
      refuseDearer(id, label);
      if (label.hasShell()) {
        attach(id);
      }
      return new InstanceRef(name, id);
    } catch (ProviderException no) {
      if (no.surelyNothingHappened()) {
        asked.remove(request.tag());
      }
      if (no instanceof ProviderException.OfferGone) {
        offers.drop(request.offer().id());
      }
      throw no;
    }
  }

  /** What was asked for and not heard of is looked for, and never asked for again. */
  private String findAgain(OwnerTag tag) {
    String id =
        list(tag.deployment()).stream()
            .filter(owned -> owned.tag().equals(tag))
            .map(owned -> owned.instance().id())
            .findFirst()
            .orElseThrow(() ->
                new ProviderException.OutcomeUnknown(
                    "was asked for " + tag.text() + " before, and does not list it", null));
    asked.put(tag, Optional.of(id));
    return id;
  }

  /** Prices are of the moment of renting: what turns out dearer is given back at once. */
  private void refuseDearer(String id, MarketLabel label) {
    Optional<Machine> machine;
    try {
      machine = api.show(id);
    } catch (ProviderException couldNotAsk) {
      return; // every later look compares too
    }
    Optional<String> broken = machine.flatMap(found -> broken(found, label));
    if (broken.isEmpty()) {
      return;
    }
    try {
      destroy(new InstanceRef(name, id));
    } catch (ProviderException stillThere) {
      throw new ProviderException.OutcomeUnknown(
          broken.get() + ", and could not be given back", stillThere);
    }
    throw new ProviderException.OfferGone(broken.get());
  }

  /** How a machine differs from what was agreed, if it does. */
  private static Optional<String> broken(Machine machine, MarketLabel label) {
    long micros = machine.microsPerHour().orElse(0L);
    if (micros > label.microsPerHourMost()) {
      return Optional.of(
          "it costs "
              + micros
              + " micros an hour, and "
              + label.microsPerHourMost()
              + " was agreed");
    }
    int gpus = machine.gpuCount().orElse(label.gpuCount());
    if (gpus < label.gpuCount()) {
      return Optional.of("it has " + gpus + " GPUs, and " + label.gpuCount() + " were agreed");
    }
    return Optional.empty();
  }

  private void attach(String id) {
    try {
      api.attachKey(id, shell.keys().publicLine());
      keyed.put(id, true);
    } catch (ProviderException no) {
      log.info("{}: machine {} has no key yet: {}", name, id, no.getMessage());
      // the next look tries again
    }
  }

  @Override
  public Optional<InstanceStatus> inspect(InstanceRef instance) {
    String id = instance.id();
    if (!ID.matcher(id).matches()) {
      return Optional.empty();
    }
    Optional<Machine> found =
        destroyed.find(id).isPresent() ? api.show(id) : looks.find(id).or(() -> api.show(id));
    if (found.isEmpty() || found.get().phase() == Phase.GONE) {
      return missing(id);
    }
    return Optional.of(status(found.get()));
  }

  /** What is not there: gone, or too new to be known. */
  private Optional<InstanceStatus> missing(String id) {
    boolean mayAppear =
        destroyed.find(id).isEmpty()
            && made.find(id)
                .filter(at -> clock.instant().isBefore(at.plus(rules.appearLimit())))
                .isPresent()
            && endpoints.find(id).isEmpty();
    if (mayAppear) {
      return Optional.of(new Starting(SHORT_PAUSE));
    }
    gone.put(id, clock.instant());
    shell.leave(id);
    return Optional.empty();
  }

  private InstanceStatus status(Machine machine) {
    if (machine.phase() != Phase.SILENT) {
      silentSince.remove(machine.id());
    }
    Optional<MarketLabel> agreed = MarketLabel.parse(machine.label());
    Optional<String> broken = agreed.flatMap(label -> broken(machine, label));
    if (broken.isPresent()) {
      return new Failed(broken.get());
    }
    return switch (machine.phase()) {
      case STARTING -> new Starting(made.find(machine.id()).isPresent() ? SHORT_PAUSE : LONG_PAUSE);
      case RUNNING ->
          agreed
              .flatMap(MarketLabel::imagePorts)
              .map(ports -> runningImage(machine, ports))
              .orElseGet(() -> running(machine));
      case STOPPED -> new Failed(machine.why());
      case SILENT -> silent(machine);
      case GONE -> throw new IllegalStateException("a machine that is gone has no status");
    };
  }

  /** It counts as up when it was entered once: by then its key has arrived, and it is known. */
  private InstanceStatus running(Machine machine) {
    String id = machine.id();
    boolean entered = shell.hasEntered(id);
    Optional<Endpoint> at = machine.ssh();
    if (at.isEmpty() && !entered) {
      at = api.show(id).flatMap(Machine::ssh); // not every list tells it
    }
    at.ifPresent(endpoint -> endpoints.put(id, endpoint));
    if (entered) {
      return new Up(Optional.empty());
    }
    if (at.isEmpty()) {
      return new Starting(SHORT_PAUSE);
    }
    if (keyed.find(id).isEmpty()) {
      attach(id); // if it cannot be said again, the one that went with the request may do
    }
    return shell.enter(id, at.get()) ? new Up(Optional.empty()) : new Starting(SHORT_PAUSE);
  }

  /** There is nothing to log in to: it is up when it is known where its ports are. */
  private InstanceStatus runningImage(Machine machine, int ports) {
    boolean known =
        machine.ports().size() >= ports
            || api.show(machine.id()).map(Machine::ports).orElse(Map.of()).size() >= ports;
    return known ? new Up(Optional.empty()) : new Starting(SHORT_PAUSE);
  }

  /** Nothing may be concluded from silence at first; after a while it is a loss. */
  private InstanceStatus silent(Machine machine) {
    Instant now = clock.instant();
    Instant since = silentSince.putIfNew(machine.id(), now).orElse(now);
    if (now.isBefore(since.plus(rules.silentLimit()))) {
      throw new ProviderException.Unavailable(
          "the market does not hear from machine " + machine.id(), null);
    }
    return new Failed("not heard of since " + since);
  }

  @Override
  public void destroy(InstanceRef instance) {
    String id = instance.id();
    if (!ID.matcher(id).matches()) {
      return;
    }
    looks.forget(id);
    boolean known = api.destroy(id);
    // Unknown may mean too new: then the next look says so, and this is called again.
    if (known) {
      destroyed.put(id, true);
      endpoints.remove(id);
    }
  }

  @Override
  public List<Owned> list(String deployment) {
    return looks.fresh().stream()
        .filter(machine -> machine.phase() != Phase.GONE)
        .filter(machine -> isThere(machine.id()))
        .flatMap(machine ->
            MarketLabel.parse(machine.label()).stream()
                .map(label ->
                    new Owned(new InstanceRef(name, machine.id()), label.tag(), madeAt(machine))))
        .filter(owned -> owned.tag().deployment().equals(deployment))
        .toList();
  }

  /** What was gone and is listed is asked for again: lists forget late, and markets know late. */
  private boolean isThere(String id) {
    Instant now = clock.instant();
    if (gone.find(id).filter(at -> !now.isBefore(at.plus(rules.appearLimit()))).isPresent()) {
      if (api.show(id).filter(machine -> machine.phase() != Phase.GONE).isPresent()) {
        gone.remove(id);
      } else {
        gone.put(id, now);
      }
    }
    return gone.find(id).isEmpty();
  }

  /** Not every market says when; then it is as old as what we know of it. */
  private Instant madeAt(Machine machine) {
    return machine.madeAt().isAfter(Instant.EPOCH)
        ? machine.madeAt()
        : made.find(machine.id())
            .orElseGet(() -> {
              Instant now = clock.instant();
              return firstSeen.putIfNew(machine.id(), now).orElse(now);
            });
  }

  @Override
  public ExecChannel exec(InstanceRef instance, ExecRequest request) {
    String id = instance.id();
    Endpoint at = endpoints.find(id).orElseGet(() -> endpoint(id));
    try {
      return shell.exec(id, at, request);
    } catch (ProviderException no) {
      endpoints.remove(id); // it may have moved
      throw no;
    }
  }

  @Override
  public Utilization utilization(InstanceRef instance) {
    String id = instance.id();
    Endpoint at = endpoints.find(id).orElseGet(() -> endpoint(id));
    String script = rules.simulated() ? MachineUse.SIMULATED : MachineUse.SCRIPT;
    try {
      return MachineUse.parse(shell.ask(id, at, script));
    } catch (ProviderException no) {
      endpoints.remove(id); // it may have moved
      throw no;
    }
  }

  @Override
  public Optional<PublicPort> publicPort(InstanceRef instance, int port) {
    String id = instance.id();
    if (!ID.matcher(id).matches()) {
      return Optional.empty();
    }
    return looks
        .find(id)
        .flatMap(machine -> reached(machine, port))
        .or(() -> api.show(id).flatMap(machine -> reached(machine, port)));
  }

  private static Optional<PublicPort> reached(Machine machine, int port) {
    return machine.phase() == Phase.RUNNING ? machine.publicPort(port) : Optional.empty();
  }

  private Endpoint endpoint(String id) {
    Endpoint at =
        api.show(id)
            .filter(machine ->
                MarketLabel.parse(machine.label()).map(MarketLabel::hasShell).orElse(true))
            .flatMap(Machine::ssh)
            .orElseThrow(() ->
                new ProviderException.Unavailable(
                    "machine " + id + " has no address to log in at", null));
    endpoints.put(id, at);
    return at;
  }

  @Override
  public void close() {
    shell.close();
    api.close();
  }
}
