package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the Shopper API listens, which knows no log-in of its own. */
class ShopperSettingsTest {

  private static final String KEY = "a key that nobody guesses";

  @TempDir private Path data;

  private Settings load(String... settings) {
    Map<String, String> environment = new HashMap<>();
    environment.put("GPUAAS_DATA", data.toString());
    for (int i = 0; i < settings.length; i += 2) {
      environment.put(Settings.variable(settings[i]), settings[i + 1]);
    }
    return Settings.load(environment);
  }

  @Test
  void withTheLogInOnThisMachine() {
    Settings settings = load();
    assertThat(settings.shopperAddress()).isEqualTo("127.0.0.1");
    assertThat(settings.shopperPort()).isEqualTo(8080);
    assertThat(settings.isShopperWithIdp()).isTrue();
    assertThat(settings.shopper().user()).isEqualTo("dev-user");
  }

  @Test
  void onThisMachineWhateverElseIsOpen() {
    // Shows that opening the server to others does not open what has no log-in.
    Settings settings = load("address", "0.0.0.0", "idp.client-secret", "a secret of our own");
    assertThat(settings.shopperAddress()).isEqualTo("127.0.0.1");
    assertThat(settings.isShopperWithIdp()).isFalse();
    assertThat(settings.shopperPort()).isEqualTo(8081);
    assertThat(settings.shopper().user()).isEqualTo("admin");
  }

  @Test
  void anywhereWithAKeyAndNowhereElseWithout() {
    Settings open =
        load("address", "0.0.0.0", "idp.client-secret", "a secret of our own", "shopper.key", KEY);
    assertThat(open.shopperAddress()).isEqualTo("0.0.0.0");
    assertThat(open.isShopperWithIdp()).isTrue();
    assertThat(open.toString() + open.shopper()).doesNotContain(KEY);
    assertThatThrownBy(() -> load("shopper.address", "0.0.0.0"))
        .isInstanceOf(Settings.Wrong.class)
        .hasMessageContaining("shopper.key");
    assertThatThrownBy(() -> load("shopper.key", "short"))
        .isInstanceOf(Settings.Wrong.class)
        .hasMessageContaining("16");
  }

  @Test
  void itsKeyMustBeShown() throws Exception {
    Map<String, String> environment = Map.of("GPUAAS_SHOPPER_KEY", KEY);
    try (TestServer server = TestServer.start(environment)) {
      String url = server.shopperUrl() + "/api/v1/sessions";
      assertThat(TestServer.send("GET", url, Map.of(), "").status()).isEqualTo(401);
      assertThat(TestServer.send("GET", url, Map.of("X-Api-Key", KEY + "!"), "").status())
          .isEqualTo(401);
      assertThat(TestServer.send("GET", url, Map.of("X-Api-Key", KEY), "").status()).isEqualTo(200);
      Map<String, String> bearer = Map.of("Authorization", "Bearer " + KEY);
      assertThat(TestServer.send("GET", url, bearer, "").status()).isEqualTo(200);
      Map<String, String> own =
          Map.of("Authorization", "Bearer " + server.apiKey("instances:read"));
      assertThat(TestServer.send("GET", url, own, "").status()).isEqualTo(200);
      assertThat(TestServer.send("POST", url, own, "{}").status()).isEqualTo(403);
      String health = server.shopperUrl() + "/health";
      assertThat(TestServer.send("GET", health, Map.of(), "").status()).isEqualTo(200);
    }
  }
}
