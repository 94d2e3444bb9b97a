package gpuaas.gpuai;

import gpuaas.access.SshKeys;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Unauthenticated;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import gpuaas.base.SecretBox;
import gpuaas.capacity.PriceList;
import gpuaas.db.Database;
import gpuaas.events.WebhookVoice;
import gpuaas.events.Webhooks;
import gpuaas.http.Cursors;
import gpuaas.http.Dialect;
import gpuaas.http.OnceRules;
import gpuaas.http.RateLimits;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.idp.Credentials;
import gpuaas.lease.Leases;
import gpuaas.ledger.Statement;
import gpuaas.operation.Operations;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Instances over the core: the dialect of the GPU.ai documents, at one mount in one generation. */
public final class GpuaiDialect implements Dialect {

  private final String name;
  private final Credentials credentials;
  private final GpuaiErrors errors;
  private final GpuaiOnceRules onceRules;
  private final RateLimits rateLimits;
  private final List<Route> routes;

  /**
   * The dialect's own settings.
   *
   * @param patience how long to look for room before an operation fails
   * @param requestsPerSecond for each organisation, and for each address that comes without a key
   * @param errorBase what the type of each problem begins with
   */
  public record GpuaiSettings(
      Duration patience, int requestsPerSecond, int requestsBurst, String errorBase) {
    /** Shared by both mounts. */
    public RateLimits rateLimits() {
      return RateLimits.perSecond(requestsPerSecond, requestsBurst);
    }
  }

  /** What the dialect speaks about; the same for both mounts. */
  public record Parts(
      GpuaiSettings settings,
      Database database,
      SecretBox secrets,
      Credentials credentials,
      Leases leases,
      Operations operations,
      SshKeys sshKeys,
      PriceList prices,
      Statement statement,
      Webhooks webhooks,
      RateLimits rateLimits,
      InstantSource clock) {}

  /**
   * @param mount what its paths begin with, such as {@code /v1}
   */
  public GpuaiDialect(String mount, Profile profile, Parts parts) {
    this.name = name(profile);
    this.credentials = parts.credentials();
    this.errors = new GpuaiErrors(parts.settings().errorBase());
    this.onceRules = new GpuaiOnceRules(mount);
    this.rateLimits = parts.rateLimits();
    GpuTypes gpuTypes = new GpuTypes(parts.database());
    GpuaiViews views = new GpuaiViews(profile);
    Lists lists = new Lists(new Cursors(parts.secrets()));
    InstanceRoutes.Parts instances =
        new InstanceRoutes.Parts(
            parts.leases(),
            parts.operations(),
            parts.sshKeys(),
            gpuTypes,
            views,
            lists,
            parts.settings().patience());
    this.routes =
        Stream.of(
                new MetaRoutes(mount, profile).routes(),
                new GpuTypeRoutes(mount, gpuTypes, lists).routes(),
                new PricingRoutes(mount, parts.prices(), gpuTypes, lists).routes(),
                new InstanceRoutes(mount, instances).routes(),
                new OperationRoutes(mount, parts.operations(), views).routes(),
                new SshKeyRoutes(mount, parts.sshKeys(), lists).routes(),
                new UsageRoutes(mount, parts.statement(), gpuTypes, lists, parts.clock()).routes(),
                new WebhookRoutes(mount, name, parts.webhooks(), lists).routes())
            .flatMap(List::stream)
            .toList();
  }

  private static String name(Profile profile) {
    return switch (profile) {
      case DOCUMENT -> "gpuai";
      case SDK -> "gpuai-sdk";
    };
  }

  /** How webhooks of this generation are told. */
  public static WebhookVoice voice(Profile profile, Supplier<Leases> leases, Database database) {
    return new GpuaiEvents(name(profile), profile, leases, new GpuTypes(database));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public List<Route> routes() {
    return routes;
  }

  @Override
  public Caller authenticate(Request request) {
    String header =
        request
            .header("authorization")
            .orElseThrow(() -> new Refused(new Unauthenticated(Why.MISSING)));
    String[] parts = header.strip().split("\\s+", 2);
    if (!parts[0].equalsIgnoreCase("Bearer") || parts.length < 2 || parts[1].isBlank()) {
      throw new Refused(new Unauthenticated(Why.MISSING));
    }
    return credentials.caller(parts[1].strip(), Optional.empty(), request.correlationId());
  }

  @Override
  public Map<String, String> admit(Route route, Request request) {
    if (request.path().endsWith("/health") || request.path().endsWith("/openapi.json")) {
      return Map.of(); // whoever watches over us must not be told that we are too busy to live
    }
    rateLimits.take(
        request
            .knownCaller()
            .map(caller -> caller.tenant().toString())
            .orElse(request.remoteAddress()));
    return Map.of();
  }

  @Override
  public Reply refused(Refusal refusal, String correlationId) {
    return errors.refused(refusal, correlationId);
  }

  @Override
  public Reply misdirected(int status, String correlationId) {
    return errors.misdirected(status, correlationId);
  }

  @Override
  public Reply crashed(String correlationId) {
    return errors.crashed(correlationId);
  }

  @Override
  public List<String> correlationHeaders() {
    return List.of("X-Request-Id");
  }

  /** 32 hexadecimal digits, as in the documents. */
  @Override
  public String correlationId(UUID fresh) {
    return fresh.toString().replace("-", "");
  }

  @Override
  public boolean refusesOddCorrelationId() {
    return false;
  }

  @Override
  public List<String> idempotencyHeaders() {
    return List.of("Idempotency-Key");
  }

  @Override
  public OnceRules onceRules() {
    return onceRules;
  }
}
