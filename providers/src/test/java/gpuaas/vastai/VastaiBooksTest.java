package gpuaas.vastai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.market.MarketHttp;
import gpuaas.market.sim.SimFaults.Kind;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderException;
import gpuaas.spi.TestClock;
import gpuaas.spi.market.HasCharges;
import gpuaas.spi.market.HasCharges.Charge;
import gpuaas.spi.market.HasTemplates;
import gpuaas.spi.market.HasTemplates.Template;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The templates that the market has, and the bill that it writes. */
class VastaiBooksTest {

  private static final String KEY = "the-very-secret-key";

  @TempDir private Path folder;

  private final TestClock clock = new TestClock();
  @AutoClose private SimServer sim;
  @AutoClose private Provider provider;

  @BeforeEach
  void open() {
    sim = VastaiApiSim.server(clock, SimRules.quick(), folder.resolve("sim"), KEY, 7).start(0);
    Map<String, String> values = new HashMap<>(VastaiContractTest.values(sim, KEY));
    provider =
        new VastaiFactory()
            .open(new ProviderConfig("vastai", "books", folder.resolve("data"), clock, values));
  }

  private Offer offer(String model) {
    return provider.offers(new OfferQuery(model, 1, 100)).getFirst();
  }

  private List<String> namesFor(String offer) {
    return ((HasTemplates) provider).templatesFor(offer).stream().map(Template::name).toList();
  }

  @Test
  void templatesAreThoseThatTheMarketRecommends() {
    // Everything that it tells of one; asked for once an hour, and a failure is not remembered.
    HasTemplates market = (HasTemplates) provider;
    sim.faults().order(Kind.BROKEN, "templates", 1, 0);
    assertThatThrownBy(market::templates).isInstanceOf(ProviderException.Unavailable.class);
    Template vllm = market.templates().getFirst();
    assertThat(vllm.hash()).isEqualTo("4f1b7c2d9a");
    assertThat(vllm.image()).isEqualTo("vllm/vllm-openai");
    assertThat(vllm.madeAt()).contains(Instant.parse("2024-11-01T00:00:00.250Z"));
    assertThat(vllm.needs()).contains("cuda_max_good");
    assertThat(vllm.diskGb()).isEqualTo(40);
    clock.advance(Duration.ofMinutes(59));
    assertThat(market.templates()).hasSize(4);
    assertThat(sim.calls("templates")).isEqualTo(2);
    clock.advance(Duration.ofMinutes(1));
    assertThat(market.templates()).hasSize(4);
    assertThat(sim.calls("templates")).isEqualTo(3);
  }

  @Test
  void aTemplateGoesWithMachinesThatHaveWhatItNeeds() {
    // By memory, by CUDA, by model; what the market does not tell is not held against a machine.
    assertThat(namesFor(offer("RTX 4090").id())).containsExactly("vLLM", "PyTorch");
    assertThat(namesFor(offer("RTX 5090").id())).containsExactly("vLLM", "Ollama", "PyTorch");
    assertThat(namesFor(offer("H100").id()))
        .containsExactly("vLLM", "Ollama", "PyTorch", "TensorRT-LLM");
    assertThat(namesFor("1")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "``|true",
        "{}|true",
        "null|true",
        "not json|false",
        "[]|false",
        "{\"gpu_ram\":{\"gte\":24564}}|true",
        "{\"gpu_ram\":{\"gt\":24564}}|false",
        "{\"gpu_ram\":{\"lte\":24564.0}}|true",
        "{\"gpu_ram\":{\"lt\":24564}}|false",
        "{\"gpu_ram\":{\"gte\":20000,\"lt\":24000}}|false",
        "{\"gpu_ram\":{\"eq\":\"24564\"}}|false",
        "{\"gpu_ram\":{\"neq\":1}}|true",
        "{\"gpu_ram\":24564}|true",
        "{\"gpu_name\":{\"eq\":\"RTX 4090\"}}|true",
        "{\"gpu_name\":{\"in\":[\"RTX 3090\",\"RTX 4090\"]}}|true",
        "{\"gpu_name\":{\"notin\":[\"RTX 3090\"]}}|true",
        "{\"gpu_name\":{\"notin\":[\"RTX 4090\"]}}|false",
        "{\"gpu_name\":{\"gte\":1}}|false",
        "{\"rentable\":{\"eq\":true}}|true",
        "{\"rentable\":{\"eq\":false}}|false",
        "{\"unheard_of\":{\"eq\":5}}|true",
        "{\"cpu_arch\":{\"eq\":\"amd64\"}}|true",
        "{\"gpu_ram\":{\"like\":1}}|false"
      })
  void aFilterHolds(String filter, boolean holds) throws IOException {
    // Each operator; texts with texts and numbers with numbers; what is not told is left out.
    String host =
        "{\"gpu_ram\":24564,\"gpu_name\":\"RTX 4090\",\"rentable\":true,\"cpu_arch\":null}";
    assertThat(VastaiNeeds.hold(filter, MarketHttp.JSON.readTree(host))).isEqualTo(holds);
  }

  private InstanceRef rent(int attempt) {
    OwnerTag tag = new OwnerTag("books", new UUID(1, 1), attempt);
    return provider.create(
        new InstanceRequest(
            tag, offer("RTX 3090"), "", List.of(), "", List.of(), Map.of(), "books"));
  }

  private List<Charge> charges(String from, String until) {
    return ((HasCharges) provider).charges(Instant.parse(from), Instant.parse(until));
  }

  @Test
  void theBillIsWhatTheBooksOfTheMarketSay() {
    // Day by day, machine by machine, to a millionth for each day; what ended costs nothing more.
    InstanceRef first = rent(1);
    clock.advance(Duration.ofHours(30));
    InstanceRef second = rent(2);
    clock.advance(Duration.ofHours(10));
    provider.destroy(first);
    clock.advance(Duration.ofHours(40));
    List<Charge> all = charges("2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z");
    assertThat(all).extracting(Charge::instance).containsExactly(first, second);
    List<SimRental.Bill> books = sim.market().ledger();
    for (int machine = 0; machine < 2; machine++) {
      assertThat(all.get(machine).amount().micros())
          .isBetween(books.get(machine).micros() - 8, books.get(machine).micros());
    }
    assertThat(charges("2026-01-03T00:00:00Z", "2026-01-05T00:00:00Z"))
        .extracting(Charge::instance)
        .containsExactly(second);
    assertThat(charges("2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z")).isEmpty();
    long day = charges("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z").getFirst().amount().micros();
    assertThat(day)
        .isEqualTo(
            charges("2026-01-01T05:00:00Z", "2026-01-01T06:00:00Z").getFirst().amount().micros());
  }

  @Test
  void aBillOfManyPagesIsReadToItsEnd() {
    // More rows than a page has: none is lost, and none counts twice.
    rent(1);
    clock.advance(Duration.ofDays(150));
    long whole = sim.market().ledger().getFirst().micros();
    assertThat(charges("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"))
        .singleElement()
        .satisfies(charge -> assertThat(charge.amount().micros()).isBetween(whole - 400, whole));
    assertThat(sim.calls("charges")).isEqualTo(2);
  }

  @Test
  void aBillThatCannotBeReadIsNotAnEmptyOne() {
    // Half an answer, or none, says nothing about what was charged.
    rent(1);
    for (Kind kind : List.of(Kind.BROKEN, Kind.TRUNCATE)) {
      sim.faults().order(kind, "charges", 1, 0);
      assertThatThrownBy(() -> charges("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"))
          .isInstanceOf(ProviderException.Unavailable.class);
    }
  }
}
