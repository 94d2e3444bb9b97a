package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.idp.IssuerSettings;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Another provider by three settings, and what is wrong with them is said at the start. */
class IssuerSettingsTest {

  private static final String SECRET = "a secret of the provider";

  @TempDir private Path data;

  private Optional<IssuerSettings> load(Map<String, String> settings) {
    Map<String, String> environment = new HashMap<>(settings);
    environment.put("GPUAAS_DATA", data.toString());
    return Settings.load(environment).people().logIn().issuer();
  }

  private Optional<IssuerSettings> at(String issuer) {
    return load(Map.of("GPUAAS_OIDC_ISSUER", issuer, "GPUAAS_OIDC_CLIENT_SECRET", SECRET));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://id.example.com/realms/gpuaas",
        "http://localhost:8180/realms/gpuaas",
        "http://127.0.0.1/realms/gpuaas",
        "http://[::1]:8180/realms/gpuaas"
      })
  void anAddressThatSecretsMayBeSentTo(String issuer) {
    assertThat(at(issuer)).isPresent();
    assertThat(at(issuer).orElseThrow().toString()).doesNotContain(SECRET);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://id.example.com/realms/gpuaas",
        "http://localhost.example.com/realms/gpuaas",
        "http://127.0.0.1.example.com/realms/gpuaas",
        "ldap://localhost/"
      })
  void anAddressThatTheyMayNot(String issuer) {
    assertThatThrownBy(() -> at(issuer))
        .isInstanceOf(Settings.Wrong.class)
        .hasMessageContaining("oidc.issuer");
  }

  @Test
  void withoutItsSecretItIsNone() {
    assertThatThrownBy(() -> load(Map.of("GPUAAS_OIDC_ISSUER", "https://id.example.com")))
        .isInstanceOf(Settings.Wrong.class)
        .hasMessageContaining("oidc.client-secret");
    assertThat(load(Map.of())).isEmpty();
  }
}
