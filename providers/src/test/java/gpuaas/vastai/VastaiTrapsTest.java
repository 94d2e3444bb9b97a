package gpuaas.vastai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import gpuaas.market.sim.SimFate;
import gpuaas.market.sim.SimFaults.Kind;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.spi.Eventually;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderException;
import gpuaas.spi.TestClock;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The surprises of this market, one by one. */
class VastaiTrapsTest {

  private static final String KEY = "the-very-secret-key";
  private static final Duration SOON = Duration.ofSeconds(20);

  @TempDir private Path folder;

  @AutoClose private SimServer sim;
  @AutoClose private Provider provider;

  @BeforeEach
  void open() {
    open(InstantSource.system(), Map.of());
  }

  private void open(InstantSource clock, Map<String, String> more) {
    if (sim != null) {
      provider.close();
      sim.close();
    }
    sim = VastaiApiSim.server(clock, SimRules.quick(), folder.resolve("sim"), KEY, 7).start(0);
    provider = provider(clock, more);
  }

  private Provider provider(InstantSource clock, Map<String, String> more) {
    Map<String, String> values = new HashMap<>(VastaiContractTest.values(sim, KEY));
    values.putAll(more);
    return new VastaiFactory()
        .open(new ProviderConfig("vastai", "traps", folder.resolve("data"), clock, values));
  }

  private InstanceRequest request(int attempt) {
    return request(attempt, 1, Map.of());
  }

  private InstanceRequest request(int attempt, int gpus, Map<String, String> environment) {
    Offer offer =
        provider.offers(OfferQuery.all()).stream()
            .filter(one -> one.gpuCount() == gpus)
            .findFirst()
            .orElseThrow();
    OwnerTag tag = new OwnerTag("traps", new UUID(1, 1), attempt);
    return new InstanceRequest(tag, offer, "", List.of(), "", List.of(), environment, "traps");
  }

  private boolean isUp(InstanceRef instance) {
    return provider.inspect(instance).orElse(null) instanceof InstanceStatus.Up;
  }

  private boolean hasFailed(InstanceRef instance) {
    return provider.inspect(instance).orElse(null) instanceof InstanceStatus.Failed;
  }

  @Test
  void anOfferThatIsGoneIsSaidUnderThreeCodes() {
    // 404, 410 and 400 with the same words are all the same: the offer is gone.
    sim.market().vanishing(true);
    for (int attempt = 1; attempt <= 3; attempt++) {
      InstanceRequest request = request(attempt);
      assertThatThrownBy(() -> provider.create(request))
          .isInstanceOf(ProviderException.OfferGone.class)
          .hasMessageContaining("no_such_ask");
    }
  }

  @Test
  void whatWasAskedAndNotHeardOfIsNeverAskedAgain() {
    // Neither a reset nor a market that hangs is a reason to ask twice for one tag.
    open(InstantSource.system(), Map.of("answer-limit", "300ms"));
    InstanceRequest lost = request(1);
    sim.faults().order(Kind.RESET, "create", 1, 0);
    assertThatThrownBy(() -> provider.create(lost))
        .isInstanceOf(ProviderException.OutcomeUnknown.class);
    assertThatThrownBy(() -> provider.create(lost))
        .isInstanceOf(ProviderException.OutcomeUnknown.class);
    assertThat(sim.calls("create")).isEqualTo(1);
    assertThat(sim.market().ledger()).isEmpty();

    InstanceRequest late = request(2);
    sim.faults().order(Kind.HANG, "create", 1, 2000);
    assertThatThrownBy(() -> provider.create(late))
        .isInstanceOf(ProviderException.OutcomeUnknown.class);
    Eventually.within(SOON, "it is listed", () -> provider.list("traps").size() == 1);
    assertThat(provider.create(late)).isEqualTo(provider.list("traps").getFirst().instance());
    assertThat(sim.calls("create")).isEqualTo(2);
  }

  @Test
  void theWaitIsTheOneThatTheMarketNames() {
    // Plain words without a header: the threshold in them is the wait.
    InstanceRequest request = request(1);
    sim.faults().order(Kind.TOO_MANY, "create", 1, 0);
    assertThat(catchThrowable(() -> provider.create(request)))
        .isInstanceOfSatisfying(
            ProviderException.RateLimited.class,
            no -> assertThat(no.retryAfter()).isEqualTo(Duration.ofMillis(300)));
    assertThat(provider.create(request).id()).isNotEmpty();
  }

  @Test
  void aMachineThatIsNotWhatWasAgreedIsNotUp() {
    // One that cannot start or has fewer GPUs fails; one that never answers never counts as up.
    sim.market().nextFate(SimFate.CANNOT_START);
    InstanceRef broken = provider.create(request(1));
    Eventually.within(SOON, "it has failed", () -> hasFailed(broken));

    sim.market().nextFate(SimFate.FEWER_GPUS);
    InstanceRequest two = request(2, 2, Map.of());
    assertThatThrownBy(() -> provider.create(two))
        .isInstanceOf(ProviderException.OfferGone.class)
        .hasMessageContaining("1 GPUs");

    sim.market().nextFate(SimFate.NEVER_ANSWERS);
    InstanceRef mute = provider.create(request(3));
    Eventually.within(
        SOON,
        "it is said to run",
        () -> sim.market().find(mute.id()).orElseThrow().runs(sim.market().now()));
    assertThat(provider.inspect(mute)).containsInstanceOf(InstanceStatus.Starting.class);
  }

  @Test
  void aStoppedMachineCostsOnAndIsThereToBeDestroyed() {
    // It has failed, it is listed, its disk is paid for; only destroying ends that.
    TestClock clock = new TestClock();
    open(clock, Map.of());
    InstanceRef machine = provider.create(request(1));
    clock.advance(Duration.ofMinutes(1));
    sim.market().stopAll();
    assertThat(hasFailed(machine)).isTrue();
    assertThat(provider.list("traps")).hasSize(1);
    long before = sim.market().ledger().getFirst().diskMicros();
    clock.advance(Duration.ofHours(1));
    assertThat(sim.market().ledger().getFirst().diskMicros()).isGreaterThan(before);
    provider.destroy(machine);
    assertThat(provider.inspect(machine)).isEmpty();
    assertThat(sim.market().ledger()).noneMatch(SimRental.Bill::open);
  }

  @Test
  void theBooksOfTheMarketAreToTheSecond() {
    // An hour of running costs what an hour was said to cost.
    TestClock clock = new TestClock();
    open(clock, Map.of());
    InstanceRequest request = request(1);
    InstanceRef machine = provider.create(request);
    clock.advance(sim.market().rules().runningAfter());
    clock.advance(Duration.ofHours(1));
    provider.destroy(machine);
    clock.advance(Duration.ofHours(5));
    SimRental.Bill bill = sim.market().ledger().getFirst();
    assertThat(bill.gpuMillis()).isEqualTo(Duration.ofHours(1).toMillis());
    assertThat(bill.micros())
        .isBetween(
            request.offer().pricePerGpuHour().micros() - 2,
            request.offer().pricePerGpuHour().micros() + 2);
  }

  @Test
  void variablesCannotBecomeOptions() {
    // Ports and variables share an object there; a name with a dash would open a port.
    for (String name : List.of("-p 22:22", "A B", "", "1A")) {
      InstanceRequest request = request(1, 1, Map.of(name, "1"));
      assertThatThrownBy(() -> provider.create(request))
          .isInstanceOf(ProviderException.Rejected.class);
    }
    assertThat(sim.calls("create")).isZero();
    InstanceRef machine = provider.create(request(2, 1, Map.of("WORD", "it's \"here\"")));
    assertThat(sim.market().find(machine.id()).orElseThrow().details().get("env"))
        .isEqualTo("{\"WORD\":\"it's \\\"here\\\"\"}");
  }

  @Test
  void anotherMachineAtTheSamePlaceIsNotEntered() {
    // The host key that was seen first is the machine's for ever, over a restart of ours too.
    InstanceRef machine = provider.create(request(1));
    Eventually.within(SOON, "it is up", () -> isUp(machine));
    provider.close();
    provider = provider(InstantSource.system(), Map.of());
    assertThat(isUp(machine)).isTrue();
    sim.market().replaceAll();
    assertThat(isUp(machine)).isTrue(); // the market says so; whoever wants in finds out
    ExecRequest request = new ExecRequest(List.of("true"), Optional.empty(), Map.of());
    assertThatThrownBy(() -> ((HasExec) provider).exec(machine, request))
        .isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void manyLooksAreOneCall() {
    // A market allows few calls, so machines are looked at together.
    open(InstantSource.system(), Map.of("look-every", "1h"));
    List<InstanceRef> machines =
        List.of(
            provider.create(request(1)), provider.create(request(2)), provider.create(request(3)));
    long shown = sim.calls("show");
    for (int round = 0; round < 10; round++) {
      machines.forEach(machine -> assertThat(provider.inspect(machine)).isPresent());
    }
    assertThat(sim.calls("list")).isEqualTo(1);
    assertThat(sim.calls("show")).isEqualTo(shown);
  }

  @Test
  void theKeyIsInNoMessageAndGoesToNoOpenWire() {
    // Whatever fails, our key is not in what is said about it.
    Provider stranger = provider(InstantSource.system(), Map.of("api-key", "wrong-" + KEY));
    assertThatThrownBy(() -> stranger.list("traps"))
        .isInstanceOf(ProviderException.BadCredentials.class)
        .hasMessageNotContaining(KEY);
    stranger.close();
    sim.pause();
    assertThatThrownBy(() -> provider.list("traps")).hasMessageNotContaining(KEY);
    for (String url : List.of("http://example.org/api", "https://a:b@example.org", "nonsense")) {
      assertThatThrownBy(() -> provider(InstantSource.system(), Map.of("base-url", url)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("base-url");
    }
    assertThatThrownBy(() -> provider(InstantSource.system(), Map.of("base-ulr", "x")))
        .hasMessageContaining("base-ulr");
  }

  @Test
  void whateverFailsNothingIsLeftBehind() {
    // A third of all calls fail in some way; in the end no machine costs anything any more.
    sim.faults().byThemselves(33);
    for (int attempt = 1; attempt <= 12; attempt++) {
      tryToRent(attempt);
    }
    Eventually.within(SOON, "all is given back", this::giveAllBack);
    sim.faults().clear();
    assertThat(sim.market().ledger()).isNotEmpty().noneMatch(SimRental.Bill::open);
    assertThat(provider.list("traps")).isEmpty();
  }

  private void tryToRent(int attempt) {
    try {
      provider.create(request(attempt));
    } catch (ProviderException no) {
      assertThat(no.getMessage()).doesNotContain(KEY);
    }
  }

  private boolean giveAllBack() {
    try {
      provider.list("traps").forEach(owned -> provider.destroy(owned.instance()));
      return provider.list("traps").isEmpty()
          && sim.market().ledger().stream().noneMatch(SimRental.Bill::open);
    } catch (ProviderException again) {
      return false;
    }
  }

  @Test
  void faultsAreOrderedOverTheWireToo() throws Exception {
    // Whoever starts the market by hand has no other way.
    assertThat(admin("POST", "/sim/faults?kind=unknown-key&operation=list&times=1"))
        .contains("done");
    assertThatThrownBy(() -> provider.list("traps"))
        .isInstanceOf(ProviderException.BadCredentials.class);
    provider.create(request(1));
    assertThat(admin("GET", "/sim/ledger")).contains("\"open\":true", "traps/");
    assertThat(admin("POST", "/sim/world?fate=nonsense")).contains("not understood");
    assertThat(admin("POST", "/sim/calm")).contains("done");
  }

  private String admin(String method, String path) throws Exception {
    try (var client = java.net.http.HttpClient.newHttpClient()) {
      return client
          .send(
              java.net.http.HttpRequest.newBuilder(sim.url().resolve(path))
                  .method(method, java.net.http.HttpRequest.BodyPublishers.noBody())
                  .build(),
              java.net.http.HttpResponse.BodyHandlers.ofString())
          .body();
    }
  }
}
