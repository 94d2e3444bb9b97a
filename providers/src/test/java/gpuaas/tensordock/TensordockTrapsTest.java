package gpuaas.tensordock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.market.Machine;
import gpuaas.market.MarketHttp;
import gpuaas.market.sim.SimFaults.Kind;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.Endpoint;
import gpuaas.spi.Eventually;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceRequest.Launch;
import gpuaas.spi.InstanceRequest.Launch.Mode;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Money;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderException;
import gpuaas.spi.TestClock;
import gpuaas.spi.market.HasPublicPorts.PublicPort;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The surprises of this market, one by one. */
class TensordockTrapsTest {

  private static final String KEY = "the-very-secret-token";
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir private Path folder;

  private final TestClock clock = new TestClock();
  @AutoClose private SimServer sim;
  @AutoClose private Provider provider;

  @BeforeEach
  void open() {
    sim = TensordockApiSim.server(clock, SimRules.quick(), folder.resolve("sim"), KEY, 3).start(0);
    Map<String, String> values = TensordockContractTest.values(sim, KEY);
    provider =
        new TensordockFactory()
            .open(new ProviderConfig("tensordock", "traps", folder.resolve("data"), clock, values));
  }

  private InstanceRequest request(Offer offer, String image, Map<String, String> environment) {
    OwnerTag tag = new OwnerTag("traps", new UUID(1, 1), 1);
    return new InstanceRequest(tag, offer, "", List.of(), image, List.of(), environment, "traps");
  }

  private Offer offer(String model, int gpus) {
    return provider.offers(new OfferQuery(model, gpus, 100)).stream()
        .filter(one -> one.gpuCount() == gpus)
        .findFirst()
        .orElseThrow();
  }

  @Test
  void thePriceIsOfTheWholeMachine() {
    // Processors, memory and disk are paid for too: what is offered is what the books say.
    Offer two = offer("RTX 4090", 2);
    InstanceRef machine = provider.create(request(two, "", Map.of()));
    clock.advance(sim.market().rules().runningAfter());
    clock.advance(Duration.ofHours(1));
    provider.destroy(machine);
    long billed = sim.market().ledger().getFirst().micros();
    assertThat(billed)
        .isBetween(
            two.pricePerGpuHour().times(2).micros() - 3,
            two.pricePerGpuHour().times(2).micros() + 3);
  }

  @Test
  void bothShapesOfTheListShowOurs() {
    // The market says the same in two ways by turns; both name our machine.
    InstanceRef machine = provider.create(request(offer("RTX 4090", 1), "", Map.of()));
    for (int turn = 0; turn < 4; turn++) {
      assertThat(provider.list("traps"))
          .singleElement()
          .satisfies(owned -> assertThat(owned.instance()).isEqualTo(machine));
    }
  }

  @Test
  void namesInItsWayAreModelsInOurs() {
    // By display name or by slug, a model has one name here.
    assertThat(provider.offers(OfferQuery.all()))
        .extracting(offer -> offer.gpu().model())
        .containsOnly("RTX 4090", "A40", "H100");
    assertThat(offer("A40", 1).gpu().memoryMib()).isEqualTo(48 * 1024);
  }

  @Test
  void aFailureInsideA200IsAFailure() {
    // No nodes is no room, and a list that failed is not an empty one.
    Offer offer = offer("H100", 1);
    sim.market().vanishing(true);
    assertThatThrownBy(() -> provider.create(request(offer, "", Map.of())))
        .isInstanceOf(ProviderException.NoCapacity.class)
        .hasMessageContaining("No available nodes");
    sim.faults().order(Kind.BROKEN, "list", 1, 0);
    assertThatThrownBy(() -> provider.list("traps"))
        .isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void whatItCannotDoIsRefusedBeforeItIsAsked() {
    // No image of ours, no other number of GPUs, no variable that could become a command.
    Offer offer = offer("RTX 4090", 1);
    List<InstanceRequest> impossible =
        List.of(
            request(offer, "pytorch", Map.of()),
            request(offer.withGpuCount(2), "", Map.of()),
            request(offer, "", Map.of("A", "'; reboot; '")),
            request(offer, "", Map.of("A B", "1")));
    for (InstanceRequest request : impossible) {
      assertThatThrownBy(() -> provider.create(request))
          .isInstanceOfAny(ProviderException.Rejected.class, ProviderException.OfferGone.class);
    }
    assertThat(sim.calls("create")).isZero();
    assertThat(sim.market().ledger()).noneMatch(SimRental.Bill::open);
  }

  @Test
  void whatIsToldOfAnOfferIsHandedOn() {
    // The place in its words, the tier as reliability, little confidence, and the price of disk.
    Offer.Facts facts = offer("RTX 4090", 1).facts();
    assertThat(facts.place())
        .isIn("Chubbuck, Idaho, United States", "Joplin, Missouri, United States");
    assertThat(facts.reliability().orElseThrow()).isEqualByComparingTo("1");
    assertThat(facts.confidence()).hasValue(new BigDecimal("0.3"));
    assertThat(facts.diskPerGbMonth()).hasValue(new Money(36_000, "USD"));
    assertThat(facts.machine()).isEmpty();
  }

  @Test
  void anOfferIsNamedByItsPlaceAndKind() {
    // One GPU by place and kind alone, as people know it; ids of before are still understood.
    assertThat(offer("A40", 1).id()).matches("[0-9a-f-]{36}-a40-pcie-48gb");
    assertThat(offer("A40", 4).id()).matches("[0-9a-f-]{36}-a40-pcie-48gb-x4");
    String place = "00000000-0000-0000-8000-000000000001";
    for (String id : List.of(place + "/a40-pcie-48gb/4", place + "-a40-pcie-48gb-x4")) {
      assertThat(TensordockOffer.parse(id))
          .contains(new TensordockOffer(place, "a40-pcie-48gb", 4));
    }
    assertThat(TensordockOffer.parse(place + "-a40-pcie-48gb").orElseThrow().count()).isEqualTo(1);
    assertThat(TensordockOffer.parse(place + "-A40")).isEmpty();
  }

  private InstanceRequest request(Offer offer, Launch launch) {
    OwnerTag tag = new OwnerTag("traps", new UUID(1, 1), 1);
    return new InstanceRequest(tag, offer, "", List.of(), "", List.of(), Map.of(), "traps", launch);
  }

  @Test
  void aStartCommandRunsAndMoreDiskIsPaidFor() {
    // The command as it was written; the disk at the price that the offer tells.
    Offer offer = offer("A40", 1);
    String command = "echo \"it's $((6 * 7))\" > begun\nexit 3";
    InstanceRef machine =
        provider.create(request(offer, new Launch(Mode.SHELL, 250, List.of(8000), command, "")));
    SimRental rented = sim.market().find(machine.id()).orElseThrow();
    assertThat(rented.diskGb()).isEqualTo(250);
    assertThat(rented.microsPerHour())
        .isLessThanOrEqualTo(offer.pricePerHour(250).orElseThrow().micros());
    clock.advance(Duration.ofMinutes(1));
    Eventually.within(
        SOON,
        "it is up",
        () -> provider.inspect(machine).orElseThrow() instanceof InstanceStatus.Up);
    Path begun = folder.resolve("sim").resolve(machine.id()).resolve("begun");
    Eventually.within(SOON, "it has run", () -> Files.exists(begun));
    assertThat(begun).hasContent("it's 42");
  }

  @Test
  void aMachineOfItsOwnCannotBeginAsAnImage() {
    // Virtual machines have neither images nor templates; that is said in words.
    Offer offer = offer("A40", 1);
    List<Launch> impossible =
        List.of(
            new Launch(Mode.IMAGE, 0, List.of(8000), "", ""),
            new Launch(Mode.SHELL, 0, List.of(), "", "4f1b7c2d9a"),
            new Launch(Mode.SHELL, 0, List.of(70_000), "", ""),
            new Launch(Mode.SHELL, 0, List.of(), "x".repeat(4097), ""));
    for (Launch launch : impossible) {
      assertThatThrownBy(() -> provider.create(request(offer, launch)))
          .isInstanceOf(ProviderException.Rejected.class);
    }
    assertThat(sim.calls("create")).isZero();
  }

  @Test
  void aDedicatedAddressHasEveryPortAsItIs() throws Exception {
    // Without forwarded ports each is where it is; with them only those that are said.
    TensordockTypes types =
        new TensordockTypes(new TensordockSettings("", 8, 32, 100, Optional.empty(), true));
    String json = "{\"id\":\"m\",\"status\":\"running\",\"ipAddress\":\"192.0.2.7\"%s}";
    Machine open = types.machine(MarketHttp.JSON.readTree(json.formatted(""))).orElseThrow();
    assertThat(open.publicPort(8000)).contains(new PublicPort("192.0.2.7", 8000));
    assertThat(open.ssh()).contains(new Endpoint("192.0.2.7", 22, "user"));
    String forwards = ",\"portForwards\":[{\"internal_port\":22,\"external_port\":20022}]";
    Machine shut = types.machine(MarketHttp.JSON.readTree(json.formatted(forwards))).orElseThrow();
    assertThat(shut.publicPort(8000)).isEmpty();
    assertThat(shut.ssh().orElseThrow().port()).isEqualTo(20_022);
  }
}
