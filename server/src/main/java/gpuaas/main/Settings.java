package gpuaas.main;

import gpuaas.archive.ArchiveRules;
import gpuaas.base.Ids;
import gpuaas.capacity.CatalogRules;
import gpuaas.command.CommandRules;
import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import gpuaas.db.DeploymentFactStore;
import gpuaas.disk.DiskRules;
import gpuaas.events.Telling;
import gpuaas.events.WebhookRules;
import gpuaas.gpuaas.EventStreamRules;
import gpuaas.gpuai.GpuaiDialect;
import gpuaas.gpudev.GpudevDialect.GpudevSettings;
import gpuaas.gpudev.LogInDoor;
import gpuaas.http.HttpServer;
import gpuaas.identity.ApiKeys;
import gpuaas.idp.Admittance;
import gpuaas.lease.LeaseRules;
import gpuaas.ledger.LedgerRules;
import gpuaas.ledger.ReconciliationRules;
import gpuaas.observe.ObserveSettings;
import gpuaas.policy.PolicyRules;
import gpuaas.shopper.ShopperDialect.ShopperSettings;
import java.io.IOException;
import java.io.Reader;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;

/**
 * The settings, from one file and the environment. Everything has a default that works on one
 * machine; what is unknown, missing or wrong stops the start with a sentence.
 *
 * @param data the folder of everything that must survive
 * @param address where the listeners bind
 * @param development whether the development users and secret exist; on loopback only
 * @param providers by name: type and settings
 */
public record Settings(
    Path data,
    String address,
    boolean development,
    String server,
    Optional<String> deployment,
    int apiPort,
    int idpPort,
    int gpuaiPort,
    int gpudevPort,
    int sshPort,
    Optional<String> apiUrl,
    Optional<String> idpUrl,
    Optional<String> sshHost,
    Optional<DatabaseAddress> database,
    int databaseConnections,
    Duration databasePatience,
    Duration databaseStatementTimeout,
    int databaseGroupWriters,
    int databaseGroupMost,
    String databaseSystemUser,
    String idpClientSecret,
    Duration accessTokenLifetime,
    Duration refreshTokenLifetime,
    Duration terminalTokenLifetime,
    PolicyRules policies,
    ObserveSettings observe,
    int failedAuthenticationsPerMinute,
    Duration terminalIdleLimit,
    Duration idempotencyKept,
    HttpServer.Limits requestLimits,
    int leasesMostPerProject,
    ApiKeys.ApiKeyRules apiKeys,
    Admittance.Rules people,
    LeaseRules lease,
    ArchiveRules archive,
    DiskRules disks,
    CommandRules commands,
    LedgerRules ledger,
    ReconciliationRules reconciliation,
    Duration readyProbeLimit,
    Duration sweepEvery,
    Duration nodeSyncEvery,
    Duration workPollEvery,
    int workParallel,
    Duration providerCallLimit,
    int providerParallel,
    CatalogRules catalog,
    Duration sshIdleLimit,
    Duration sshKeepAlive,
    Duration sshRecheckEvery,
    Duration auditSealEvery,
    Telling.Rules telling,
    EventStreamRules eventStreams,
    GpuaiDialect.GpuaiSettings gpuai,
    GpudevSettings gpudev,
    LogInDoor.Settings gpudevLogIn,
    GpudevReader.GithubSettings github,
    ProxyReader.Web web,
    String shopperAddress,
    int shopperPort,
    ShopperSettings shopper,
    Optional<Duration> endAllAtStop,
    Map<String, ProviderSettings> providers) {

  private static final String LOOPBACK = "127.0.0.1";

  /** An external PostgreSQL. */
  public record DatabaseAddress(String url, String user, String password) {
    @Override
    public String toString() {
      return "DatabaseAddress[" + url + "]"; // never the secret
    }
  }

  /** One provider. */
  public record ProviderSettings(String type, Map<String, String> values) {}

  /** A setting that stops the start; the message is for the person who typed it. */
  public static final class Wrong extends RuntimeException {
    Wrong(String message) {
      super(message);
    }
  }

  /**
   * Reads {@code gpuaas.properties} in the data folder, or the file that {@code GPUAAS_SETTINGS}
   * names; a variable such as {@code GPUAAS_API_PORT} wins over {@code api.port} in the file.
   */
  public static Settings load(Map<String, String> environment) {
    Path data =
        Path.of(environment.getOrDefault("GPUAAS_DATA", defaultData(environment))).toAbsolutePath();
    Path file =
        Path.of(
            environment.getOrDefault(
                "GPUAAS_SETTINGS", data.resolve("gpuaas.properties").toString()));
    Map<String, String> values = new TreeMap<>();
    if (Files.exists(file)) {
      Properties properties = new Properties();
      try (Reader reader = Files.newBufferedReader(file)) {
        properties.load(reader);
      } catch (IOException | IllegalArgumentException e) {
        throw new Wrong("the settings in " + file + " cannot be read: " + e.getMessage());
      }
      properties.forEach((name, value) -> values.put(name.toString(), value.toString().strip()));
    } else if (environment.containsKey("GPUAAS_SETTINGS")) {
      throw new Wrong("GPUAAS_SETTINGS names " + file + ", which is not there");
    }
    return of(data, new SettingsReader(values, environment));
  }

  private static Settings of(Path data, SettingsReader reader) {
    String address = reader.text("address", LOOPBACK);
    boolean loopback = isLoopback(address);
    boolean development = People.development(reader, address, loopback);
    String clientSecret = People.clientSecret(reader, development);
    Duration callLimit = reader.duration("provider.call-limit", Duration.ofSeconds(45));
    int idpPort = reader.integer("idp.port", 8080, 0, 65_535);
    // Its documents know no log-in, so it is for this machine only, unless there is a key.
    boolean shopperHasKey = reader.optional("shopper.key").isPresent();
    String shopperAddress = reader.text("shopper.address", shopperHasKey ? address : LOOPBACK);
    if (!shopperHasKey && !isLoopback(shopperAddress)) {
      throw new Wrong(
          "shopper.address is "
              + shopperAddress
              + ": without a key anybody could rent there. Set shopper.key, or bind it to"
              + " 127.0.0.1.");
    }
    boolean sameAddress = shopperAddress.equals(address);
    Settings settings =
        new Settings(
            data,
            address,
            development,
            reader.text("server", "server-1"),
            reader.optional("deployment"),
            reader.integer("api.port", 8443, 0, 65_535),
            idpPort,
            reader.integer("gpuai.port", 8090, 0, 65_535),
            reader.integer("gpudev.port", 8000, 0, 65_535),
            reader.integer("ssh.port", 2222, 0, 65_535),
            reader.optional("api.url").map(Settings::withoutSlash),
            reader.optional("idp.url").map(Settings::withoutSlash),
            reader.optional("ssh.host"),
            reader
                .optional("database.url")
                .map(url ->
                    new DatabaseAddress(
                        url,
                        reader.text("database.user", "gpuaas"),
                        reader.text("database.password", ""))),
            reader.integer("database.connections", 16, 4, 1000),
            reader.duration("database.patience", Duration.ofSeconds(3)),
            reader.duration("database.statement-timeout", DatabaseSettings.STATEMENT_TIMEOUT),
            reader.integer("database.group-writers", DatabaseSettings.GROUP_WRITERS, 1, 16),
            reader.integer("database.group-most", DatabaseSettings.GROUP_MOST, 1, 1000),
            reader.text("database.system-user", "gpuaas"),
            clientSecret,
            reader.duration("idp.access-token-lifetime", Duration.ofMinutes(60)),
            reader.duration("idp.refresh-token-lifetime", Duration.ofHours(12)),
            reader.duration("terminal.token-lifetime", Duration.ofSeconds(300)),
            RuleReader.policies(reader),
            RuleReader.observe(reader),
            reader.integer("rate-limit.failed-authentications-per-minute", 600, 1, 1_000_000),
            reader.duration("terminal.idle-limit", Duration.ofHours(4)),
            reader.duration("idempotency.kept", Duration.ofHours(24)),
            RuleReader.requestLimits(reader),
            reader.integer("lease.most-per-project", 1000, 1, 1_000_000),
            new ApiKeys.ApiKeyRules(
                reader.integer("api-key.most-per-project", 100, 1, 100_000),
                reader.duration("api-key.rotation-overlap", Duration.ofHours(24)),
                reader.duration("api-key.note-use-every", Duration.ofMinutes(1)),
                reader.duration("api-key.known-for", Duration.ofSeconds(1))),
            People.read(reader, development),
            rules(reader),
            ArchiveReader.read(reader, data),
            ArchiveReader.disks(reader),
            ArchiveReader.commands(reader),
            ledger(reader),
            RuleReader.reconciliation(reader),
            reader.duration("lease.probe-limit", Duration.ofSeconds(5)),
            reader.duration("sweep.every", Duration.ofSeconds(60)),
            reader.duration("node-sync.every", Duration.ofSeconds(10)),
            reader.duration("work.poll-every", Duration.ofSeconds(1)),
            reader.integer("work.parallel", 64, 1, 10_000),
            callLimit,
            reader.integer("provider.parallel", 16, 1, 10_000),
            CatalogSettings.read(reader, callLimit),
            reader.duration("ssh.idle-limit", Duration.ofHours(12)),
            reader.duration("ssh.keep-alive", Duration.ofSeconds(30)),
            reader.duration("ssh.recheck-every", Duration.ofSeconds(10)),
            reader.duration("audit.seal-every", Duration.ofSeconds(1)),
            telling(reader),
            RuleReader.eventStreams(reader),
            gpuai(reader),
            GpudevReader.read(reader),
            GpudevReader.logIn(reader, development),
            GpudevReader.github(reader),
            ProxyReader.read(reader, address, reader.optional("ssh.host")),
            shopperAddress,
            reader.integer("shopper.port", sameAddress ? idpPort : 8081, 0, 65_535),
            ShopperReader.read(reader, development),
            reader.flag("stop.end-leases", false)
                ? Optional.of(reader.duration("stop.end-leases-limit", Duration.ofMinutes(1)))
                : Optional.empty(),
            reader.providers());
    reader.refuseUnknown();
    if (settings.providerCallLimit.compareTo(settings.lease.settle()) >= 0) {
      throw new Wrong("provider.call-limit must be shorter than lease.settle");
    }
    return settings;
  }

  /** True when the Shopper API and the log-in are at one address and port. */
  boolean isShopperWithIdp() {
    return shopperAddress.equals(address) && shopperPort == idpPort;
  }

  /** Part of the tag on every instance: as it was set, or made once. */
  String deployment(Database database, Ids ids) {
    return deployment.orElseGet(() ->
        DeploymentFactStore.getOrMake(
            database, "deployment", () -> "gpuaas-" + ids.next().toString().substring(24)));
  }

  @Override
  public String toString() {
    return "Settings[" + data + ", " + address + "]"; // never the secrets
  }

  private static LeaseRules rules(SettingsReader reader) {
    LeaseRules standard = LeaseRules.standard();
    return new LeaseRules(
        reader.duration("lease.settle", standard.settle()),
        reader.duration("lease.boot-limit", standard.bootLimit()),
        reader.duration("lease.meter-every", standard.meterEvery()),
        reader.duration("lease.watch-every", standard.watchEvery()),
        reader.duration("lease.stop-limit", standard.stopLimit()),
        reader.integer("lease.tries-most", standard.triesMost(), 1, 1000),
        reader.duration("spot.grace", standard.spotGrace()),
        reader.duration("lease.end-warn-before", standard.endWarnBefore()),
        reader.duration("lease.idle-warn-before", standard.idleWarnBefore()),
        RuleReader.queue(reader));
  }

  private static LedgerRules ledger(SettingsReader reader) {
    LedgerRules standard = LedgerRules.standard();
    String mode = reader.text("ledger.mode", standard.prepaid() ? "prepaid" : "postpaid");
    if (!mode.equals("prepaid") && !mode.equals("postpaid")) {
      throw new Wrong("ledger.mode must be prepaid or postpaid");
    }
    LedgerRules rules =
        new LedgerRules(
            mode.equals("prepaid"),
            reader.duration("ledger.hold-for", standard.holdFor()),
            reader.micros("ledger.starting-credit-micros", standard.startingCreditMicros()),
            standard.currency(),
            reader.duration("ledger.check-every", standard.checkEvery()),
            reader.duration("ledger.stop-ahead", standard.stopAhead()),
            reader.duration("ledger.warn-ahead", standard.warnAhead()),
            reader.duration("ledger.last-warn-ahead", standard.lastWarnAhead()),
            reader.integer("budget.warn-percent", standard.warnPercent(), 1, 100),
            reader.integer("budget.last-warn-percent", standard.lastWarnPercent(), 1, 100));
    if (rules.stopAhead().compareTo(rules.checkEvery()) < 0) {
      throw new Wrong("ledger.stop-ahead must not be shorter than ledger.check-every");
    }
    return rules;
  }

  private static Telling.Rules telling(SettingsReader reader) {
    WebhookRules standard = WebhookRules.standard();
    WebhookRules webhook =
        new WebhookRules(
            reader.durations("webhook.retry-after", standard.retryAfter()),
            reader.duration("webhook.attempt-limit", standard.attemptLimit()),
            reader.integer("webhook.in-order-attempts", standard.inOrderAttempts(), 0, 1000),
            reader.integer("webhook.parallel", standard.parallel(), 1, 1000),
            reader.integer(
                "webhook.parallel-per-endpoint", standard.parallelPerEndpoint(), 1, 1000),
            reader.duration("webhook.poll-every", standard.pollEvery()),
            reader.integer("webhook.disable-after", standard.disableAfter(), 1, 1_000_000),
            reader.integer("webhook.most-per-tenant", standard.mostPerTenant(), 1, 10_000),
            reader.duration("webhook.secret-overlap", standard.secretOverlap()),
            reader.duration("webhook.kept", standard.kept()));
    return new Telling.Rules(
        reader.duration("events.poll-every", Duration.ofMillis(100)),
        reader.duration("events.gather", Duration.ofMillis(10)),
        webhook,
        reader.flag("webhook.allow-private", false));
  }

  private static GpuaiDialect.GpuaiSettings gpuai(SettingsReader reader) {
    return new GpuaiDialect.GpuaiSettings(
        reader.duration("gpuai.capacity-wait", Duration.ofSeconds(15)),
        reader.integer("rate-limit.gpuai-requests-per-second", 10, 1, 10_000_000),
        reader.integer("rate-limit.gpuai-requests-burst", 20, 1, 10_000_000),
        reader.text("gpuai.error-base", "https://api.gpu.ai/errors/"));
  }

  private static String defaultData(Map<String, String> environment) {
    return "root".equals(System.getProperty("user.name"))
        ? "/var/lib/gpuaas"
        : environment.getOrDefault(
                "XDG_DATA_HOME", System.getProperty("user.home") + "/.local/share")
            + "/gpuaas";
  }

  private static String withoutSlash(String url) {
    return url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
  }

  private static boolean isLoopback(String address) {
    try {
      return InetAddress.getByName(address).isLoopbackAddress();
    } catch (UnknownHostException e) {
      throw new Wrong("address: " + address + " is not an address of this machine");
    }
  }

  /** The name of an environment variable for a setting. */
  static String variable(String setting) {
    return "GPUAAS_" + setting.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  /**
   * Without providers, this machine is one; if it has no GPUs, it pretends to have those that the
   * documents ask for.
   */
  static Map<String, ProviderSettings> withDefault(Map<String, ProviderSettings> providers) {
    return providers.isEmpty()
        ? Map.of("local", new ProviderSettings("local", Map.of("gpus", "8xH200,8xH100")))
        : new LinkedHashMap<>(providers);
  }
}
