package gpuaas.main;

import gpuaas.base.SecretBox;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.DeploymentFactStore;
import gpuaas.identity.Identities;

/** The people who are there from the start. */
final class People {

  private static final String ADMIN_FACT = "first-admin-password";

  private People() {}

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
