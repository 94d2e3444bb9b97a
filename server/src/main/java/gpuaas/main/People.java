package gpuaas.main;

import gpuaas.base.SecretBox;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.DeploymentFactStore;
import gpuaas.identity.GroupRoles;
import gpuaas.identity.Identities;
import gpuaas.identity.ServiceAccounts;
import gpuaas.identity.Tenancy;
import gpuaas.idp.Admittance;
import gpuaas.idp.Assertions;
import gpuaas.idp.IssuerSettings;
import gpuaas.idp.LogInRules;
import gpuaas.session.PasswordTries;
import gpuaas.session.SessionRules;
import gpuaas.session.Sessions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The people who are there from the start. */
final class People {

  private static final String DEVELOPMENT_SECRET = "dev-client-secret";
  private static final String ADMIN_FACT = "first-admin-password";

  private static final int PASSWORD_LENGTH_LEAST = 12;
  private static final int PASSWORD_LENGTH_LEAST_IN_DEVELOPMENT = 6;
  private static final String SECRETS_ARE_SAFE =
      "https://.+|http://(localhost|127\\.0\\.0\\.1|\\[::1])([:/].*)?";
  private static final String OF_THIS_MACHINE =
      "https?://(localhost|127\\.0\\.0\\.1|\\[::1])([:/].*)?";
  private static final String REDIRECT_URI =
      "https?://[A-Za-z0-9.:\\[\\]-]+(/[\\x21-\\x7e&&[^#\\\\]]*)?";

  private People() {}

  /**
   * Whether the development users and secret exist: on this machine only, and not where somebody
   * has said who may log in, for a proxy may let the world in.
   */
  static boolean development(SettingsReader reader, String address, boolean loopback) {
    boolean said =
        reader.optional("oidc.issuer").isPresent()
            || reader.optional("idp.client-secret").isPresent()
            || isOfTheWorld(reader.optional("api.url"))
            || isOfTheWorld(reader.optional("idp.url"));
    boolean development = reader.flag("development", loopback && !said);
    if (development && !loopback) {
      throw new Settings.Wrong(
          "development is on, and address is "
              + address
              + ": the development users are for loopback only."
              + " Remove the setting development, or bind to 127.0.0.1.");
    }
    return development;
  }

  private static boolean isOfTheWorld(Optional<String> url) {
    return url.filter(text -> !text.matches(OF_THIS_MACHINE)).isPresent();
  }

  /**
   * Of the client at the built-in provider; one that nobody knows where people log in elsewhere.
   */
  static String clientSecret(SettingsReader reader, boolean development) {
    boolean elsewhere = reader.optional("oidc.issuer").isPresent();
    String secret =
        reader
            .optional("idp.client-secret")
            .orElseGet(
                () -> development ? DEVELOPMENT_SECRET : elsewhere ? Secrets.longToken() : "");
    if (!development && (secret.isEmpty() || secret.equals(DEVELOPMENT_SECRET))) {
      throw new Settings.Wrong(
          "idp.client-secret must be set to a secret of your own when development is off");
    }
    return secret;
  }

  /** What people and programs are held to. */
  static Admittance.Rules read(SettingsReader reader, boolean development) {
    return new Admittance.Rules(
        new Tenancy.TenancyRules(
            reader.integer("tenancy.projects-most", 100, 1, 100_000),
            reader.integer("tenancy.members-most", 1000, 1, 1_000_000)),
        reader.duration("tenancy.invitation-lifetime", Duration.ofDays(7)),
        new ServiceAccounts.AccountRules(
            reader.integer("service-account.most-per-project", 100, 1, 100_000),
            reader.integer("service-account.keys-most", 5, 1, 100),
            reader.duration("service-account.rotation-overlap", Duration.ofHours(24)),
            reader.duration("service-account.note-use-every", Duration.ofMinutes(1))),
        new Assertions.AssertionRules(
            "gpuaas-api",
            reader.duration("service-account.assertion-lifetime-most", Duration.ofMinutes(15)),
            reader.duration("service-account.clock-skew", Duration.ofSeconds(30)),
            reader.duration("service-account.token-lifetime", Duration.ofMinutes(15))),
        logIn(reader, development));
  }

  private static LogInRules logIn(SettingsReader reader, boolean development) {
    List<String> redirectUris =
        Arrays.stream(reader.text("idp.redirect-uris", "").split(",", 100))
            .map(String::strip)
            .filter(uri -> !uri.isEmpty())
            .toList();
    if (redirectUris.stream().anyMatch(uri -> !uri.matches(REDIRECT_URI))) {
      throw new Settings.Wrong(
          "idp.redirect-uris must be whole addresses such as https://portal.example.com/callback,"
              + " with commas between, and without a fragment");
    }
    return new LogInRules(
        new SessionRules(
            reader.duration("idp.refresh-token-lifetime", Duration.ofHours(12)),
            reader.duration("session.longest", Duration.ofDays(30)),
            reader.duration("session.kept-for", Duration.ofDays(30)),
            reader.duration("session.note-use-every", Duration.ofMinutes(1)),
            reader.duration("idp.code-lifetime", Duration.ofSeconds(60))),
        new PasswordTries.TryRules(
            reader.integer("idp.wrong-passwords-most", 10, 1, 1000),
            reader.duration("idp.wrong-passwords-window", Duration.ofMinutes(15)),
            reader.duration("idp.locked-for", Duration.ofMinutes(15))),
        redirectUris,
        reader.flag("auth.personal", development),
        development ? PASSWORD_LENGTH_LEAST_IN_DEVELOPMENT : PASSWORD_LENGTH_LEAST,
        reader.integer("rate-limit.personal-sign-ins-per-minute", 20, 1, 1_000_000),
        reader.duration("session.recheck-every", Duration.ofSeconds(1)),
        reader.duration("idp.signing-key-age", Duration.ofDays(90)),
        issuer(reader));
  }

  private static Optional<IssuerSettings> issuer(SettingsReader reader) {
    Optional<String> secret = reader.optional("oidc.client-secret");
    String client = reader.text("oidc.client-id", "gpuaas-api");
    Optional<String> audience = reader.optional("oidc.audience");
    String groupsClaim = reader.text("oidc.groups-claim", "groups");
    GroupRoles roles =
        GroupRoles.parse(reader.text("oidc.group-roles", ""))
            .orElseThrow(() ->
                new Settings.Wrong(
                    "oidc.group-roles must be like operators=platform-admin,research=TENANT:member,"
                        + " with the id of a tenant and a role of viewer, member, admin or owner"));
    Duration callLimit = reader.duration("oidc.call-limit", Duration.ofSeconds(5));
    Duration documentsLast = reader.duration("oidc.keys-last", Duration.ofMinutes(15));
    Duration outageLast = reader.duration("oidc.keys-outage-last", Duration.ofHours(24));
    Duration refreshPause = reader.duration("oidc.keys-refresh-pause", Duration.ofSeconds(30));
    Optional<String> issuer = reader.optional("oidc.issuer");
    if (issuer.isPresent() && secret.isEmpty()) {
      throw new Settings.Wrong("oidc.issuer needs oidc.client-secret, and mostly oidc.client-id");
    }
    if (issuer.filter(text -> !text.matches(REDIRECT_URI)).isPresent()) {
      throw new Settings.Wrong("oidc.issuer must be an address, as the issuer's tokens name it");
    }
    if (issuer.filter(text -> !text.matches(SECRETS_ARE_SAFE)).isPresent()) {
      throw new Settings.Wrong(
          "oidc.issuer must begin with https:// unless it is on this machine: our secret and"
              + " people's codes go there");
    }
    return issuer.map(address ->
        new IssuerSettings(
            address,
            client,
            secret.orElseThrow(),
            audience,
            groupsClaim,
            roles,
            callLimit,
            documentsLast,
            outageLast,
            refreshPause));
  }

  /**
   * In development, two whose passwords everybody knows; otherwise one administrator with a
   * password of its own.
   */
  static void ensure(
      Settings settings,
      Identities identities,
      Sessions sessions,
      SecretBox secrets,
      Database database) {
    if (settings.development()) {
      identities.ensure("dev-user", "dev123", false);
      identities.ensure("dev-admin", "admin123", true);
      sessions.enable("dev-user", true);
      sessions.enable("dev-admin", true);
    } else {
      sessions.enable("dev-user", false);
      sessions.enable("dev-admin", false);
      identities.ensure("admin", adminPassword(secrets, database), true);
    }
  }

  /**
   * The first administrator's password: made once, kept encrypted, shown by {@code ./gpuaas
   * admin-password}.
   */
  static String adminPassword(SecretBox secrets, Database database) {
    return secrets.unseal(
        DeploymentFactStore.getOrMake(
            database, ADMIN_FACT, () -> secrets.seal(Secrets.token(), ADMIN_FACT)),
        ADMIN_FACT);
  }
}
