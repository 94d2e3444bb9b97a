package gpuaas.shopper;

import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.capacity.Catalog;
import gpuaas.db.Database;
import gpuaas.http.Dialect;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.Identities;
import gpuaas.idp.Credentials;
import gpuaas.lease.Leases;
import gpuaas.ledger.Reconciliation;
import gpuaas.provider.Providers;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.IntUnaryOperator;
import java.util.stream.Stream;

/** Sessions on offers over the core: the dialect of the Cloud GPU Shopper documents. */
public final class ShopperDialect implements Dialect, AutoCloseable {

  private final ShopperAuth auth;
  private final SessionKeys keys;
  private final List<Route> routes;
  private final ShopperMetrics metrics;

  /**
   * The dialect's own settings.
   *
   * @param key that callers must show; empty: anybody on this machine may call
   * @param user in whose name those act who show no API key of their own
   * @param placementWait how long a create waits to hear whether the offer can be had
   * @param destroyWait how long an end waits until the provider confirms that nothing is left
   * @param hardMaximum no session lives longer
   * @param keyType of the pairs that are made for sessions
   * @param keysReady how many pairs are made ahead of time
   */
  public record ShopperSettings(
      Optional<String> key,
      String user,
      Duration placementWait,
      Duration destroyWait,
      Duration hardMaximum,
      KeyType keyType,
      int keysReady) {

    /** The kinds of keys. */
    public enum KeyType {
      /** 4096 bits, as PEM; what the documents show. */
      RSA,
      /** As a file of OpenSSH. */
      ED25519
    }

    @Override
    public String toString() {
      return "ShopperSettings[" + user + "]"; // never the key
    }
  }

  /** What the dialect speaks about. */
  public record Parts(
      ShopperSettings settings,
      Database database,
      Identities identities,
      Credentials credentials,
      Providers providers,
      Catalog catalog,
      Leases leases,
      Reconciliation reconciliation,
      BooleanSupplier ready,
      PrometheusMeterRegistry registry,
      ShopperMetrics metrics,
      InstantSource clock,
      IntUnaryOperator draw) {}

  public ShopperDialect(Parts parts) {
    this.auth = new ShopperAuth(parts.settings(), parts.identities(), parts.credentials());
    this.keys = new SessionKeys(parts.settings().keyType(), parts.settings().keysReady());
    this.metrics = parts.metrics();
    Templates templates = new Templates(parts.providers());
    SessionCreation creation =
        new SessionCreation(
            parts.database(),
            parts.leases(),
            parts.catalog(),
            templates,
            keys,
            parts.settings(),
            parts.draw());
    this.routes =
        Stream.of(
                new HealthRoutes(parts).routes(),
                new InventoryRoutes(parts.catalog(), parts.providers(), templates, parts.clock())
                    .routes(),
                new TemplateRoutes(templates).routes(),
                new SessionRoutes(
                        creation,
                        parts.database(),
                        parts.leases(),
                        parts.settings(),
                        parts.metrics(),
                        parts.clock())
                    .routes(),
                new CostRoutes(
                        parts.database(), parts.leases(), parts.reconciliation(), parts.clock())
                    .routes())
            .flatMap(List::stream)
            .toList();
  }

  @Override
  public String name() {
    return "shopper";
  }

  @Override
  public List<Route> routes() {
    return routes;
  }

  @Override
  public Caller authenticate(Request request) {
    return auth.caller(request);
  }

  @Override
  public Reply refused(Refusal refusal, String correlationId) {
    return ShopperErrors.refused(refusal, correlationId);
  }

  @Override
  public Reply misdirected(int status, String correlationId) {
    return ShopperErrors.misdirected(status, correlationId);
  }

  @Override
  public Reply crashed(String correlationId) {
    return ShopperErrors.crashed(correlationId);
  }

  @Override
  public List<String> correlationHeaders() {
    return List.of("X-Request-ID");
  }

  @Override
  public boolean refusesOddCorrelationId() {
    return false;
  }

  @Override
  public void answered(Route route, int status, Duration took) {
    metrics.answered(route.method(), route.path(), status, took);
  }

  /** None: an answer that is kept would keep the private key. */
  @Override
  public List<String> idempotencyHeaders() {
    return List.of();
  }

  @Override
  public void close() {
    keys.close();
  }
}
