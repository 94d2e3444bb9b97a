package gpuaas.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.spi.disk.HasDisks;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What every provider promises. A provider's test extends this and says how to open one; the tests
 * leave nothing behind in it. What a provider's surroundings can do to it is a {@link
 * ProviderFault}: each is either ordered and its consequence checked, or declared as one that
 * cannot be had, with the reason.
 */
public abstract class ProviderContract {

  /** The deployment whose tag the contract's instances carry. */
  protected static final String DEPLOYMENT = "contract";

  static final UUID FIRST_LEASE = new UUID(0x11L, 1);
  private static final UUID SECOND_LEASE = new UUID(0x22L, 2);

  /** The provider under test; the same one for all of one test, and closed after it. */
  protected abstract Provider provider();

  /** The faults that this provider cannot be brought to show, each with the reason. */
  protected abstract Map<ProviderFault, String> notOrderable();

  /** Brings about a fault, from now on until {@link #endFaults}. */
  protected void order(ProviderFault fault) {
    throw new UnsupportedOperationException(fault + " cannot be ordered here");
  }

  /** All is well again. */
  protected void endFaults() {}

  /** False: it makes another instance for the same tag, and the core must not ask twice. */
  protected boolean knowsATagAgain() {
    return true;
  }

  /** False: it is a stand-in that passes over the disk that an instance is to have. */
  protected boolean looksAtDisks() {
    return true;
  }

  /** How long an instance may take to be up or gone. */
  protected Duration patience() {
    return Duration.ofSeconds(30);
  }

  /** Leaves the provider empty, and closes it. */
  @AfterEach
  void destroyAllAndClose() {
    endFaults();
    for (Owned owned : provider().list(DEPLOYMENT)) {
      provider().destroy(owned.instance());
      eventuallyGone(owned.instance());
    }
    provider().close();
  }

  @Test
  void whatWasCreatedIsListedWithItsTag() {
    // An instance can be found again by its tag alone, and only by its own deployment.
    InstanceRef created = provider().create(request(FIRST_LEASE, 1));

    assertThat(provider().list(DEPLOYMENT))
        .singleElement()
        .satisfies(owned -> {
          assertThat(owned.instance()).isEqualTo(created);
          assertThat(owned.tag()).isEqualTo(new OwnerTag(DEPLOYMENT, FIRST_LEASE, 1));
        });
    assertThat(provider().list("another-deployment")).isEmpty();
  }

  @Test
  void anInstanceComesUpAndGoes() {
    // The whole life: created, up, destroyed, gone from both inspect and list.
    InstanceRef created = provider().create(request(FIRST_LEASE, 1));
    eventuallyUp(created);

    provider().destroy(created);
    eventuallyGone(created);
    assertThat(provider().list(DEPLOYMENT)).isEmpty();
  }

  @Test
  void destroyingTwiceIsFine() {
    // Already gone is success, since a teardown may be repeated after any crash.
    InstanceRef created = provider().create(request(FIRST_LEASE, 1));

    provider().destroy(created);
    eventuallyGone(created);
    provider().destroy(created);
    assertThat(provider().inspect(created)).isEmpty();
  }

  @Test
  void inspectingNothingIsEmpty() {
    // What never existed is gone, and destroying it is no error.
    InstanceRef created = provider().create(request(FIRST_LEASE, 1));
    provider().destroy(created);
    eventuallyGone(created);

    InstanceRef never = new InstanceRef(created.provider(), created.id().replace('1', '9'));
    assertThat(provider().inspect(never)).isEmpty();
    provider().destroy(never);
  }

  @Test
  void theSameTagTwiceMakesOneInstance() {
    // A repeated call after a lost reply finds the first one's instance; another attempt does not.
    InstanceRef first = provider().create(request(FIRST_LEASE, 1));
    InstanceRef again = provider().create(request(FIRST_LEASE, 1));
    if (!knowsATagAgain()) {
      assertThat(again).as("it says that it does not know a tag again").isNotEqualTo(first);
      assertThat(provider().list(DEPLOYMENT)).hasSize(2);
      return;
    }
    InstanceRef other = provider().create(request(FIRST_LEASE, 2));

    assertThat(again).isEqualTo(first);
    assertThat(other).isNotEqualTo(first);
    assertThat(provider().list(DEPLOYMENT)).hasSize(2);
  }

  @Test
  void instancesCanBeCreatedAtTheSameTime() throws Exception {
    // Calls come from many threads at once.
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<InstanceRef>> calls =
          List.of(
              () -> provider().create(request(FIRST_LEASE, 1)),
              () -> provider().create(request(SECOND_LEASE, 1)));
      for (Future<InstanceRef> created : threads.invokeAll(calls)) {
        eventuallyUp(created.get());
      }
    }
    assertThat(provider().list(DEPLOYMENT)).hasSize(2);
  }

  @Test
  void offersCanBeTaken() {
    // What is offered has a price, a place, and at least one GPU; a limit is kept.
    List<Offer> offers = provider().offers(OfferQuery.all());

    assertThat(offers).isNotEmpty();
    assertThat(provider().offers(new OfferQuery("", 1, 1))).hasSize(1);
    String model = offers.getFirst().gpu().model();
    assertThat(provider().offers(new OfferQuery(model, 1, 10)))
        .isNotEmpty()
        .allSatisfy(offer -> assertThat(offer.gpu().model()).isEqualTo(model));
  }

  @ParameterizedTest(name = "{0}")
  @EnumSource
  void aFaultIsTakenForWhatItIs(ProviderFault fault, TestReporter reporter) {
    // Each fault leads to the one conclusion that is safe; what cannot be had here is said aloud.
    String why = notOrderable().get(fault);
    if (why != null) {
      reporter.publishEntry("not orderable: " + fault, why);
      assertThat(why).as("the reason why there is no " + fault).hasSizeGreaterThan(15);
      assertThatThrownBy(() -> order(fault)).isInstanceOf(UnsupportedOperationException.class);
      return;
    }
    new FaultCheck(this).check(fault);
  }

  @Test
  void everyAbilityThatIsDeclaredWorks() throws Exception {
    // An ability is an interface; whoever implements it must mean it.
    InstanceRef created = provider().create(request(FIRST_LEASE, 1));
    eventuallyUp(created);

    if (provider() instanceof HasNodes fleet) {
      assertThat(fleet.nodes()).isNotEmpty();
      assertThat(fleet.nodes()).allSatisfy(node -> assertThat(node.gpus()).isNotEmpty());
    }
    if (provider() instanceof HasExec inside) {
      execWorks(inside, created);
    }
    if (provider() instanceof HasPorts network) {
      assertThatNothingListens(network, created);
    }
    new AbilityCheck(this).check(created);
  }

  @ParameterizedTest
  @EnumSource
  void aLaunchIsDoneOrRefused(LaunchKind kind) {
    // However it is to begin: it comes up like that, or is refused in words and leaves nothing.
    InstanceRequest plain = request(FIRST_LEASE, 1);
    InstanceRequest request =
        new InstanceRequest(
            plain.tag(),
            plain.offer(),
            plain.node(),
            plain.gpuIds(),
            plain.image(),
            plain.authorizedKeys(),
            plain.environment(),
            plain.hostName(),
            kind.launch(provider()));
    try {
      eventuallyUp(provider().create(request));
    } catch (ProviderException.Rejected no) {
      assertThat(no).hasMessageContaining(" ");
      assertThat(kind).as("more room is given, or there is no limit").isNotEqualTo(LaunchKind.DISK);
      assertThat(provider().list(DEPLOYMENT)).isEmpty();
    }
  }

  @Test
  void aDiskThatIsNotThereIsRefused() {
    // Whoever keeps no disks refuses all; nobody gives an instance without the disk that it wants.
    InstanceRequest request = request(FIRST_LEASE, 1).withHomeDisk("no-such-disk");
    if (!looksAtDisks()) {
      assertThat(provider()).isNotInstanceOf(HasDisks.class);
      assertThat(provider().create(request)).isNotNull();
      return;
    }
    assertThatThrownBy(() -> provider().create(request))
        .isInstanceOf(ProviderException.Rejected.class);
    assertThat(provider().list(DEPLOYMENT)).isEmpty();
  }

  private static void execWorks(HasExec inside, InstanceRef instance) throws Exception {
    ExecRequest request =
        new ExecRequest(
            List.of("sh", "-c", "cat; echo \"$WORD\" >&2; exit 7"),
            Optional.empty(),
            Map.of("WORD", "heard"));
    try (ExecChannel channel = inside.exec(instance, request)) {
      channel.input().write("said".getBytes(StandardCharsets.UTF_8));
      channel.input().close();
      assertThat(text(channel.output().readAllBytes())).isEqualTo("said");
      assertThat(text(channel.error().readAllBytes())).isEqualTo("heard\n");
      assertThat(channel.waitFor()).isEqualTo(7);
    }
  }

  private static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static void assertThatNothingListens(HasPorts network, InstanceRef instance) {
    try (var connected = network.connect(instance, 1)) {
      throw new AssertionError("connected to " + connected);
    } catch (IOException refused) {
      assertThat(refused).isNotNull();
    }
  }

  /** A request for one GPU of the first offer; another lease takes the second, if there is one. */
  protected InstanceRequest request(UUID lease, int attempt) {
    List<Offer> offers = provider().offers(OfferQuery.all());
    int which = lease.equals(SECOND_LEASE) ? Math.min(1, offers.size() - 1) : 0;
    Offer offer = offers.get(which).withGpuCount(1);
    return new InstanceRequest(
        new OwnerTag(DEPLOYMENT, lease, attempt),
        offer,
        "",
        List.of(),
        "",
        List.of(),
        Map.of("GREETING", "hello"),
        "contract");
  }

  /** Waits until an instance is up. */
  protected void eventuallyUp(InstanceRef instance) {
    eventually(
        instance + " is up",
        () -> provider().inspect(instance).orElse(null) instanceof InstanceStatus.Up);
  }

  /** Waits until an instance is gone. */
  protected void eventuallyGone(InstanceRef instance) {
    eventually(instance + " is gone", () -> provider().inspect(instance).isEmpty());
  }

  /** Waits until something holds, and fails after {@link #patience()}. */
  protected void eventually(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + patience().toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time: " + what).isLessThan(deadline);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }
  }
}
