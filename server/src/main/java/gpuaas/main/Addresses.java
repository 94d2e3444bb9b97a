package gpuaas.main;

import gpuaas.gateway.GatewaySettings;
import gpuaas.idp.IdpDialect;

/** What follows from the settings for the ways in: where they are, and what they are called. */
final class Addresses {

  private Addresses() {}

  /** The host that clients of the gateway are told. */
  static String ssh(Settings settings) {
    return settings.sshHost().orElse(settings.address());
  }

  /** The gateway. */
  static GatewaySettings gateway(Settings settings) {
    GatewaySettings defaults =
        GatewaySettings.defaults(settings.data().resolve("ssh_host_ed25519_key"));
    return defaults
        .listening(settings.address(), settings.sshPort())
        .idleAfter(settings.sshIdleLimit(), settings.sshKeepAlive())
        .recheckingEvery(settings.sshRecheckEvery());
  }

  /** The built-in identity provider. */
  static IdpDialect.IdpSettings idp(Settings settings) {
    return new IdpDialect.IdpSettings(
        settings.idpUrl().orElse("http://localhost:" + settings.idpPort()),
        "gpuaas-api",
        settings.idpClientSecret(),
        settings.accessTokenLifetime(),
        settings.refreshTokenLifetime());
  }
}
