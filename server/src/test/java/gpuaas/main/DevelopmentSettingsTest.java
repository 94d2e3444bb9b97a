package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users whose passwords everybody knows are for loopback only. */
class DevelopmentSettingsTest {

  @TempDir Path data;

  private Settings load(Map<String, String> more) {
    Map<String, String> environment = new HashMap<>(more);
    environment.put("GPUAAS_DATA", data.toString());
    return Settings.load(environment);
  }

  @Test
  void onLoopbackDevelopmentIsOn() {
    assertThat(load(Map.of()).development()).isTrue();
  }

  @Test
  void whereSomebodySaidWhoLogsInDevelopmentIsOff() {
    // Behind a proxy on the same machine the address is loopback, and the world comes in.
    Settings elsewhere =
        load(
            Map.of(
                "GPUAAS_OIDC_ISSUER", "https://id.example.com/realms/gpuaas",
                "GPUAAS_OIDC_CLIENT_SECRET", "a-secret-there"));
    assertThat(elsewhere.development()).isFalse();
    assertThat(load(Map.of("GPUAAS_IDP_CLIENT_SECRET", "a-secret-of-our-own")).development())
        .isFalse();
  }

  @Test
  void whoeverTellsTheWorldAnAddressNeedsASecret() {
    assertThatThrownBy(() -> load(Map.of("GPUAAS_API_URL", "https://gpus.example.com")))
        .isInstanceOf(Settings.Wrong.class)
        .hasMessageContaining("idp.client-secret must be set to a secret of your own");
    assertThatThrownBy(() -> load(Map.of("GPUAAS_IDP_URL", "http://localhost.example.com")))
        .isInstanceOf(Settings.Wrong.class);
    assertThat(load(Map.of("GPUAAS_API_URL", "http://localhost:8443")).development()).isTrue();
  }

  @Test
  void onAPublicAddressDevelopmentIsRefused() {
    assertThatThrownBy(
            () -> load(Map.of("GPUAAS_ADDRESS", "0.0.0.0", "GPUAAS_DEVELOPMENT", "true")))
        .isInstanceOf(Settings.Wrong.class)
        .hasMessageContaining("development is on, and address is 0.0.0.0")
        .hasMessageContaining("loopback only");
  }

  @Test
  void onAPublicAddressASecretOfOnesOwnIsNeeded() {
    assertThatThrownBy(() -> load(Map.of("GPUAAS_ADDRESS", "0.0.0.0")))
        .isInstanceOf(Settings.Wrong.class)
        .hasMessageContaining("idp.client-secret must be set to a secret of your own");
    assertThatThrownBy(() ->
            load(
                Map.of(
                    "GPUAAS_ADDRESS", "0.0.0.0", "GPUAAS_IDP_CLIENT_SECRET", "dev-client-secret")))
        .isInstanceOf(Settings.Wrong.class);
    Settings own =
        load(
            Map.of("GPUAAS_ADDRESS", "0.0.0.0", "GPUAAS_IDP_CLIENT_SECRET", "a-secret-of-our-own"));
    assertThat(own.development()).isFalse();
    assertThat(own.toString()).as("secrets are not printed").doesNotContain("a-secret-of-our-own");
  }
}
