package gpuaas.vastai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.market.MarketLabel;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.Eventually;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceRequest.Launch;
import gpuaas.spi.InstanceRequest.Launch.Mode;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderException;
import gpuaas.spi.TestClock;
import gpuaas.spi.market.HasPublicPorts;
import gpuaas.spi.market.HasPublicPorts.PublicPort;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** However a machine is asked to begin, it begins like that, or not at all. */
class VastaiLaunchTest {

  private static final String KEY = "the-very-secret-key";
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir private Path folder;

  @AutoClose private SimServer sim;
  @AutoClose private Provider provider;

  @BeforeEach
  void open() {
    sim =
        VastaiApiSim.server(InstantSource.system(), SimRules.quick(), folder.resolve("sim"), KEY, 7)
            .start(0);
    provider = provider();
  }

  private Provider provider() {
    Map<String, String> values = new HashMap<>(VastaiContractTest.values(sim, KEY));
    return new VastaiFactory()
        .open(
            new ProviderConfig(
                "vastai", "launch", folder.resolve("data"), InstantSource.system(), values));
  }

  private InstanceRequest request(String image, Launch launch) {
    Offer offer = provider.offers(OfferQuery.all()).getFirst();
    OwnerTag tag = new OwnerTag("launch", new UUID(1, 1), 1);
    return new InstanceRequest(
        tag, offer, "", List.of(), image, List.of(), Map.of(), "launch", launch);
  }

  private SimRental rented(InstanceRef machine) {
    return sim.market().find(machine.id()).orElseThrow();
  }

  private void eventuallyUp(InstanceRef machine) {
    Eventually.within(
        SOON,
        "it is up",
        () -> provider.inspect(machine).orElseThrow() instanceof InstanceStatus.Up);
  }

  private int status(PublicPort at) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://" + at.host() + ":" + at.port() + "/health");
      return client
          .send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding())
          .statusCode();
    }
  }

  @Test
  void moreDiskIsPaidForAndNothingElse() {
    // What was agreed has the price of the further disk in it, and hardly more than that.
    InstanceRequest request = request("", new Launch(Mode.SHELL, 500, List.of(), "", ""));
    InstanceRef machine = provider.create(request);
    long agreed = MarketLabel.parse(rented(machine).label()).orElseThrow().microsPerHourMost();
    assertThat(rented(machine).diskGb()).isEqualTo(500);
    assertThat(agreed)
        .isEqualTo(request.offer().pricePerHour(500).orElseThrow().micros())
        .isGreaterThan(request.offer().pricePerGpuHour().micros())
        .isBetween(rented(machine).microsPerHour(), rented(machine).microsPerHour() * 102 / 100);
    eventuallyUp(machine);
  }

  @Test
  void lessDiskThanComesWithItIsNoDiscount() {
    // An offer is priced with its disk: nobody gets less than that, nor pays less.
    InstanceRequest request = request("", new Launch(Mode.SHELL, 10, List.of(), "", ""));
    assertThat(rented(provider.create(request)).diskGb()).isEqualTo(50);
    assertThat(request.offer().pricePerHour(10)).contains(request.offer().pricePerGpuHour());
  }

  @Test
  void moreDiskWithoutAPriceIsNotTaken() {
    // Nobody knows what that would cost, so nothing is asked for.
    InstanceRequest plain = request("", new Launch(Mode.SHELL, 500, List.of(), "", ""));
    Offer untold = withoutFacts(plain.offer());
    InstanceRequest request =
        new InstanceRequest(
            plain.tag(), untold, "", List.of(), "", List.of(), Map.of(), "launch", plain.launch());
    assertThatThrownBy(() -> provider.create(request))
        .isInstanceOf(ProviderException.OfferGone.class)
        .hasMessageContaining("500 GB");
    assertThat(sim.calls("create")).isZero();
  }

  @Test
  void moreDiskThanAMachineHasIsNotAskedFor() {
    // The market told how much there is; another machine may have more.
    InstanceRequest request = request("", new Launch(Mode.SHELL, 100_000, List.of(), "", ""));
    assertThatThrownBy(() -> provider.create(request))
        .isInstanceOf(ProviderException.OfferGone.class)
        .hasMessageContaining("100000 GB");
    assertThat(sim.calls("create")).isZero();
  }

  private static Offer withoutFacts(Offer offer) {
    return new Offer(
        offer.id(),
        offer.provider(),
        offer.region(),
        offer.gpu(),
        1,
        1,
        offer.tier(),
        offer.pricePerGpuHour(),
        offer.perGpu(),
        offer.assurance(),
        offer.seenAt());
  }

  @Test
  void portsAreReachedFromOutside() throws Exception {
    // Each at another number outside; what listens there can be asked how it is.
    InstanceRef machine =
        provider.create(request("", new Launch(Mode.SHELL, 0, List.of(8000, 22, 8000), "", "")));
    HasPublicPorts ports = (HasPublicPorts) provider;
    assertThat(ports.publicPort(machine, 9000)).isEmpty();
    eventuallyUp(machine);
    PublicPort at = ports.publicPort(machine, 8000).orElseThrow();
    assertThat(at.port()).isNotEqualTo(8000);
    assertThat(status(at)).isEqualTo(200);
    sim.market().healthy(false);
    assertThat(status(at)).isEqualTo(503);
    assertThat(ports.publicPort(machine, 9000)).isEmpty();
    provider.destroy(machine);
    assertThat(ports.publicPort(machine, 8000)).isEmpty();
  }

  @Test
  void aStartCommandRunsOnce() {
    // As it was written, quotes and lines and all.
    String command = "echo \"it's\n$((6 * 7))\" >> begun";
    InstanceRef machine =
        provider.create(request("", new Launch(Mode.SHELL, 0, List.of(), command, "")));
    eventuallyUp(machine);
    Path begun = folder.resolve("sim").resolve(machine.id()).resolve("begun");
    Eventually.within(SOON, "it has run", () -> Files.exists(begun));
    assertThat(begun).hasContent("it's\n42");
  }

  @Test
  void aTemplateBringsItsImageUnlessAnotherIsAskedFor() {
    // What is not said in the request, the template has its say in.
    Launch launch = new Launch(Mode.SHELL, 0, List.of(), "", "4f1b7c2d9a");
    InstanceRef machine = provider.create(request("", launch));
    assertThat(rented(machine).details())
        .containsEntry("template", "4f1b7c2d9a")
        .containsEntry("image", "vllm/vllm-openai")
        .containsEntry("runtype", "ssh_proxy");
    provider.destroy(machine);
    Provider again = provider();
    try (again) {
      assertThat(rented(again.create(request("mine:1", launch))).details())
          .containsEntry("image", "mine:1");
    }
  }

  @Test
  void whatAnImageRunsByItselfIsUpWithoutAnyLogin() throws Exception {
    // There is no way in; it is up when it is known where its ports are, after a restart too.
    InstanceRef machine =
        provider.create(
            request("vllm/vllm-openai", new Launch(Mode.IMAGE, 0, List.of(8000), "--model m", "")));
    eventuallyUp(machine);
    assertThat(rented(machine).details())
        .containsEntry("runtype", "args")
        .containsEntry("args", "--model m");
    assertThat(sim.calls("attach")).isZero();
    provider.close();
    provider = provider();
    eventuallyUp(machine);
    assertThat(status(((HasPublicPorts) provider).publicPort(machine, 8000).orElseThrow()))
        .isEqualTo(200);
    ExecRequest request = new ExecRequest(List.of("true"), Optional.empty(), Map.of());
    assertThatThrownBy(() -> ((HasExec) provider).exec(machine, request))
        .isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void whatCannotBeIsRefusedBeforeItIsAsked() {
    // Too long, no port, no template's name: nothing of it is sent.
    List<Launch> impossible =
        List.of(
            new Launch(Mode.SHELL, 0, List.of(), "x".repeat(4097), ""),
            new Launch(Mode.SHELL, 0, List.of(0), "", ""),
            new Launch(Mode.SHELL, 0, List.of(65_536), "", ""),
            new Launch(Mode.SHELL, 0, Collections.nCopies(65, 8000), "", ""),
            new Launch(Mode.SHELL, 0, List.of(), "", "a/../b"));
    for (Launch launch : impossible) {
      assertThatThrownBy(() -> provider.create(request("", launch)))
          .isInstanceOf(ProviderException.Rejected.class);
    }
    assertThat(sim.calls("create")).isZero();
    assertThat(provider.create(request("", Launch.PLAIN)).id()).isNotEmpty();
  }

  @Test
  void aKeyThatIsOnItsWayIsNoFailure() {
    // A market takes a while to let a key in; until then the machine is on its way up, ever again.
    provider.close();
    sim.close();
    TestClock clock = new TestClock();
    SimRules slow =
        new SimRules(
            Duration.ofSeconds(1),
            Duration.ofSeconds(2),
            Duration.ofSeconds(15),
            Duration.ZERO,
            Duration.ZERO);
    sim = VastaiApiSim.server(clock, slow, folder.resolve("late"), KEY, 7).start(0);
    provider = provider();
    InstanceRef machine = provider.create(request("", Launch.PLAIN));
    clock.advance(Duration.ofSeconds(16));
    for (int look = 0; look < 5; look++) {
      assertThat(provider.inspect(machine)).containsInstanceOf(InstanceStatus.Starting.class);
    }
    clock.advance(Duration.ofSeconds(2));
    eventuallyUp(machine);
  }
}
