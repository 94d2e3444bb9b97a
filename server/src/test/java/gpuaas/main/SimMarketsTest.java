package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.spi.Assurance.GpuMode;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderFactory;
import gpuaas.tensordock.TensordockFactory;
import gpuaas.vastai.VastaiFactory;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Markets to try things with: on loopback, beside what the settings have, and never mistaken. */
class SimMarketsTest {

  private static final PrintStream NOWHERE = new PrintStream(OutputStream.nullOutputStream());

  @TempDir private Path data;

  @Test
  void theyAreProvidersBesideThisMachine() throws Exception {
    // Both are opened by their types, have offers, and say that no GPU is behind them.
    Map<String, String> environment = Map.of("GPUAAS_DATA", data.toString());
    Settings plain = Settings.load(environment);
    try (SimMarkets markets = SimMarkets.start(plain, InstantSource.system())) {
      Settings settings = Settings.load(markets.added(environment, plain));
      assertThat(settings.providers().keySet())
          .containsExactlyInAnyOrder("local", "vastai", "tensordock");
      assertThat(settings.providers().get("local")).isEqualTo(plain.providers().get("local"));
      for (ProviderFactory factory : List.of(new VastaiFactory(), new TensordockFactory())) {
        String name = factory.type();
        Settings.ProviderSettings given = settings.providers().get(name);
        assertThat(given.type()).isEqualTo(factory.type());
        Path folder = Files.createDirectory(data.resolve(name));
        InstantSource clock = InstantSource.system();
        try (Provider provider =
            factory.open(new ProviderConfig(name, "sims", folder, clock, given.values()))) {
          assertThat(provider.offers(OfferQuery.all()))
              .isNotEmpty()
              .allSatisfy(
                  offer -> assertThat(offer.assurance().gpuMode()).isEqualTo(GpuMode.SIMULATED));
        }
      }
    }
  }

  @Test
  void whoRentsThereGetsAShellHereSoTheyAreForLoopback() {
    Settings open =
        Settings.load(
            Map.of(
                "GPUAAS_DATA", data.toString(),
                "GPUAAS_ADDRESS", "0.0.0.0",
                "GPUAAS_IDP_CLIENT_SECRET", "a-secret-of-ones-own"));
    assertThatThrownBy(() -> SimMarkets.start(open, InstantSource.system()))
        .hasMessageContaining("loopback");
  }

  @Test
  void theCommandSaysWhatItKnows() {
    for (String line :
        new String[] {"sim", "sim lambda", "sim vastai --prot 1", "sim vastai --port x"}) {
      assertThatThrownBy(() -> SimMarkets.run(line.split(" "), InstantSource.system(), NOWHERE))
          .isInstanceOf(Settings.Wrong.class);
    }
  }
}
