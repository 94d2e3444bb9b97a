package gpuaas.capacity;

import gpuaas.capacity.Known.Failed;
import gpuaas.capacity.OfferStore.Written;
import gpuaas.db.Database;
import gpuaas.provider.Providers;
import gpuaas.spi.HasNodes;
import gpuaas.spi.HasNodes.NodeStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.ProviderException;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what providers offer and have up to date, in memory and in the database. The only one who
 * asks: whoever comes while a provider is being asked waits for the same answer. A provider that
 * cannot be asked leaves everything as it was.
 */
public final class NodeSync {

  private static final Logger log = LoggerFactory.getLogger(NodeSync.class);

  private final Database database;
  private final Providers providers;
  private final InstantSource clock;
  private final Map<String, Line> lines = new ConcurrentHashMap<>();

  public NodeSync(Database database, Providers providers, InstantSource clock) {
    this.database = database;
    this.providers = providers;
    this.clock = clock;
  }

  /** To one provider. What is being asked, and what was, changes together. */
  private static final class Line {
    volatile Known known = Known.NOTHING;
    @Nullable Flight flight; // by its lock
    final ReentrantLock writing = new ReentrantLock();
    Optional<Written> written = Optional.empty(); // while writing
    long writtenNumber; // while writing
  }

  /**
   * One question that is under way.
   *
   * @param heard ends when the provider has answered
   * @param written ends when the answer is in the database
   */
  private record Flight(CompletableFuture<Known> heard, CompletableFuture<Boolean> written) {}

  /**
   * Asks one provider, and writes what it says.
   *
   * @throws ProviderException when it could not be asked
   */
  public void sync(String provider) {
    Line line = line(provider);
    Flight flight;
    synchronized (line) {
      flight = begin(provider, line);
    }
    try {
      flight.written().get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException known) {
        throw known;
      }
      throw new IllegalStateException("looking at " + provider + " failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProviderException.Unavailable("interrupted while asking " + provider, e);
    }
  }

  /** What is known of a provider now. */
  Known known(String provider) {
    return line(provider).known;
  }

  /**
   * Asks a provider if that is wanted, judged while nobody else can begin to ask; ends when it has
   * answered or has failed to, and at once when nothing was asked.
   */
  CompletableFuture<Known> askIf(String provider, Predicate<Known> wanted) {
    Line line = line(provider);
    synchronized (line) {
      if (!wanted.test(line.known)) {
        return CompletableFuture.completedFuture(line.known);
      }
      Flight flight = begin(provider, line);
      var _ = flight.written().whenComplete((_, failure) -> warn(provider, failure));
      return flight.heard();
    }
  }

  private static void warn(String provider, @Nullable Throwable failure) {
    if (failure != null) {
      log.warn(
          "looking at what {} offers did not work this time: {}", provider, failure.getMessage());
    }
  }

  private Line line(String provider) {
    return lines.computeIfAbsent(provider, _ -> new Line());
  }

  private Flight begin(String provider, Line line) {
    Flight underWay = line.flight;
    if (underWay != null) {
      return underWay;
    }
    Flight flight = new Flight(new CompletableFuture<>(), new CompletableFuture<>());
    line.flight = flight;
    Thread.ofVirtual().name("ask " + provider).start(() -> fly(provider, line, flight));
    return flight;
  }

  private void fly(String provider, Line line, Flight flight) {
    try {
      List<Offer> offers = providers.get(provider).offers(OfferQuery.all());
      Known known = arrived(line, flight, line.known.with(offers, clock.instant()));
      List<NodeStatus> nodes =
          providers.ability(provider, HasNodes.class).map(HasNodes::nodes).orElse(List.of());
      write(provider, line, known.number(), offers, nodes);
      flight.written().complete(true);
    } catch (RuntimeException | Error e) {
      if (!flight.heard().isDone()) {
        arrived(line, flight, line.known.with(new Failed(why(e), clock.instant())));
      }
      flight.written().completeExceptionally(e);
    }
  }

  /** From here on the next question may be asked, also while this answer is being written. */
  private static Known arrived(Line line, Flight flight, Known known) {
    synchronized (line) {
      line.known = known;
      line.flight = null;
    }
    flight.heard().complete(known);
    return known;
  }

  private void write(
      String provider, Line line, long number, List<Offer> offers, List<NodeStatus> nodes) {
    line.writing.lock();
    try {
      if (number > line.writtenNumber) { // else a later answer is there already
        line.written =
            Optional.of(
                database.tx(tx ->
                    OfferStore.write(tx, provider, offers, nodes, clock.instant(), line.written)));
        line.writtenNumber = number;
      }
    } finally {
      line.writing.unlock();
    }
  }

  /** The message of a provider's no is for operators; this much anybody may know. */
  private static String why(Throwable no) {
    return switch (no) {
      case ProviderException.RateLimited _ -> "asks for fewer calls";
      case ProviderException.BadCredentials _ -> "does not accept the credentials";
      case ProviderException.Rejected _ -> "refuses to list its offers";
      case ProviderException _ -> "could not be reached";
      default -> "could not be understood";
    };
  }

  /** All nodes, as last seen. */
  public List<NodeStatus> nodes() {
    return database.read(NodeStore::nodes);
  }
}
