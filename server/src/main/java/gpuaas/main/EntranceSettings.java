package gpuaas.main;

import gpuaas.gateway.GatewaySettings;
import gpuaas.idp.IdpDialect;

/** What the ways in need of the settings. */
final class EntranceSettings {

  private EntranceSettings() {}

  /** What people are told to connect to. */
  static String sshHost(Settings settings) {
    return settings.sshHost().orElse(settings.address());
  }

  static GatewaySettings gateway(Settings settings) {
    GatewaySettings defaults =
        GatewaySettings.defaults(settings.data().resolve("ssh_host_ed25519_key"));
    return defaults
        .listening(settings.address(), settings.sshPort())
        .idleAfter(settings.sshIdleLimit(), settings.sshKeepAlive())
        .recheckingEvery(settings.sshRecheckEvery());
  }

  static IdpDialect.IdpSettings idp(Settings settings) {
    return new IdpDialect.IdpSettings(
        settings.idpUrl().orElse("http://localhost:" + settings.idpPort()),
        "gpuaas-api",
        settings.idpClientSecret(),
        settings.accessTokenLifetime(),
        settings.refreshTokenLifetime());
  }
}
