package gpuaas.main;

import gpuaas.base.SecretBox;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.DeploymentFactStore;
import gpuaas.identity.Identities;
import gpuaas.identity.ServiceAccounts;
import gpuaas.identity.Tenancy;
import gpuaas.idp.Admittance;
import gpuaas.idp.Assertions;
import java.time.Duration;

/** The people who are there from the start. */
final class People {

  private static final String ADMIN_FACT = "first-admin-password";

  private People() {}

  /** What people and programs are held to. */
  static Admittance.Rules read(SettingsReader reader) {
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
            reader.duration("service-account.token-lifetime", Duration.ofMinutes(15))));
  }

  /**
   * In development, two whose passwords everybody knows; otherwise one administrator with a
   * password of its own.
   */
  static void ensure(
      Settings settings, Identities identities, SecretBox secrets, Database database) {
    if (settings.development()) {
      identities.ensure("dev-user", "dev123", false);
      identities.ensure("dev-admin", "admin123", true);
      identities.enable("dev-user", true);
      identities.enable("dev-admin", true);
    } else {
      identities.enable("dev-user", false);
      identities.enable("dev-admin", false);
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
