package gpuaas.tensordock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.market.ScriptedMarket;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderConfig;
import gpuaas.spi.ProviderException;
import gpuaas.spi.TestClock;
import gpuaas.spi.market.HasPublicPorts;
import gpuaas.spi.market.HasPublicPorts.PublicPort;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AutoClose;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The market as others have met it: every shape that it is known to answer in. */
class TensordockOtherTest {

  private static final String SEARCH = "GET /api/v2/locations";
  private static final String LIST = "GET /api/v2/instances";
  private static final String CREATE = "POST /api/v2/instances";
  private static final String SHOW = "GET /api/v2/instances/m-1";
  private static final String DESTROY = "DELETE /api/v2/instances/m-1";
  private static final String LABEL = "other.00000000-0000-0001-0000-000000000001.1.1x600000";
  private static final InstanceRef MACHINE = new InstanceRef("tensordock", "m-1");
  private static final String LOCATIONS =
      "{\"data\":{\"locations\":[{\"id\":\"00000000-0000-0000-8000-000000000001\",\"city\":\"\","
          + "\"stateprovince\":\"Delaware\",\"country\":\"Delaware\",\"tier\":2,\"gpus\":[{"
          + "\"v0Name\":\"a40-pcie-48gb\",\"displayName\":\"a40-pcie-48gb\",\"max_count\":1,"
          + "\"price_per_hr\":0.4}]},{\"id\":\"x\"}]}}";

  @TempDir private Path folder;

  private final TestClock clock = new TestClock();
  @AutoClose private final ScriptedMarket market = new ScriptedMarket();
  @AutoClose private Provider provider;

  @BeforeEach
  void open() {
    Map<String, String> values =
        Map.of(
            "base-url", market.url("/api/v2"),
            "api-key", "a-key",
            "calls-per-second", "1000",
            "burst", "100",
            "offers-every", "0s",
            "look-every", "1s",
            "appear-limit", "0s",
            "ssh-limit", "1s");
    provider =
        new TensordockFactory()
            .open(new ProviderConfig("tensordock", "other", folder, clock, values));
  }

  private InstanceRequest request() {
    Offer offer = provider.offers(OfferQuery.all()).getFirst();
    OwnerTag tag = new OwnerTag("other", new UUID(1, 1), 1);
    return new InstanceRequest(tag, offer, "", List.of(), "", List.of(), Map.of(), "other");
  }

  @Test
  void placesAreCleaned() {
    // Empty and doubled parts of a place are left out; a name that is a slug is a model all the
    // same.
    market.on(SEARCH, 200, LOCATIONS);
    Offer offer = provider.offers(OfferQuery.all()).getFirst();
    assertThat(offer.facts().place()).isEqualTo("Delaware");
    assertThat(offer.facts().reliability().orElseThrow()).isEqualByComparingTo("0.667");
    assertThat(offer.gpu().model()).isEqualTo("A40");
    assertThat(offer.facts().diskPerGbMonth()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"data\":[{\"id\":\"m-1\",\"name\":\"%s\",\"status\":\"running\",\"ipAddress\":\"\"}]}",
        "{\"data\":{\"instances\":[{\"type\":\"VM\",\"id\":\"m-1\",\"attributes\":{\"name\":\"%s\"}}]}}",
        "{\"data\":{\"data\":{\"instances\":[{\"id\":\"m-1\",\"attributes\":{\"name\":\"%s\"}}]}}}",
        "{\"instances\":[{\"data\":{\"id\":\"m-1\",\"name\":\"%s\"}}]}",
        "{\"data\":[null,7,{\"name\":\"%1$s\"},{\"id\":\"m-1\",\"name\":\"%1$s\"}]}"
      })
  void aListIsReadHoweverDeepItIs(String body) {
    // The name is what tells ours from others', wherever it stands.
    market.on(LIST, 200, body.formatted(LABEL));
    assertThat(provider.list("other")).extracting(Owned::instance).containsExactly(MACHINE);
    assertThat(provider.list("others")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[]",
        "{\"data\":null}",
        "{\"data\":{}}",
        "[{\"code\":\"custom\",\"message\":\"no\",\"path\":[]}]",
        "{\"status\":500,\"error\":\"internal\",\"data\":[]}",
        "{\"status\":400,\"error\":\"Bad request\"}"
      })
  void whatIsNoListIsNotAnEmptyOne(String body) {
    // Nothing may be concluded from an answer that has no list in it, though it came with a 200.
    market.on(LIST, 200, body);
    assertThatThrownBy(() -> provider.list("other"))
        .isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void aMachineIsAsOldAsWeKnowItToBe() {
    // The market does not say when it was made; nothing is older than when it was first seen.
    market.on(LIST, 200, "{\"data\":[{\"id\":\"m-1\",\"name\":\"" + LABEL + "\"}]}");
    Instant first = clock.instant();
    assertThat(provider.list("other").getFirst().createdAt()).isEqualTo(first);
    clock.advance(Duration.ofHours(1));
    assertThat(provider.list("other").getFirst().createdAt()).isEqualTo(first);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "200|{\"status\":400,\"error\":\"No available nodes found\"}|NoCapacity",
        "400|{\"error\":\"No available public IPs\"}|NoCapacity",
        "400|[{\"code\":\"custom\",\"message\":\"Organization balance is too"
            + " low\",\"path\":[]}]|NoCapacity",
        "200|[{\"code\":\"custom\",\"message\":\"GPU sold out\",\"path\":[]}]|NoCapacity",
        "400|[{\"code\":\"too_small\",\"message\":\"ssh_key is"
            + " needed\",\"path\":[\"ssh_key\"]}]|Rejected",
        "200|{\"status\":401,\"error\":\"Unauthorized\"}|BadCredentials",
        "401|{\"error\":\"Unauthorized\"}|BadCredentials",
        "403|{\"error\":\"Forbidden\"}|BadCredentials",
        "429|{\"error\":\"Too many requests\"}|RateLimited",
        "200|{\"status\":500,\"error\":\"boom\"}|OutcomeUnknown",
        "200|{\"data\":{}}|OutcomeUnknown",
        "200|``|OutcomeUnknown",
        "500|boom|OutcomeUnknown"
      })
  void aNoIsTakenForWhatItIs(int status, String body, String conclusion) {
    // Said with a 200 or without, as an object or an array: each leads to another next step.
    market.on(SEARCH, 200, LOCATIONS).on(CREATE, status, body);
    InstanceRequest request = request();
    assertThatThrownBy(() -> provider.create(request))
        .isInstanceOf(ProviderException.class)
        .satisfies(no -> assertThat(no.getClass().getSimpleName()).isEqualTo(conclusion));
  }

  @Test
  void anErrorThatIsNullIsNone() {
    // Some answers carry the word for every case.
    market.on(SEARCH, 200, LOCATIONS);
    market.on(CREATE, 201, "{\"error\":null,\"data\":{\"id\":\"m-1\",\"status\":\"creating\"}}");
    market.on(SHOW, 200, "{\"error\":null,\"id\":\"m-1\",\"status\":\"creating\"}");
    assertThat(provider.create(request())).isEqualTo(MACHINE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "404|{\"error\":\"Instance not found\"}",
        "200|{\"status\":404,\"error\":\"Instance not found\"}",
        "200|{\"id\":\"m-1\",\"status\":\"deleted\"}"
      })
  void goneIsSaidInManyWays(int status, String body) {
    // Each of them is an answer.
    market.on(LIST, 200, "{\"data\":[]}").on(SHOW, status, body).on(DESTROY, 404, "{}");
    assertThat(provider.inspect(MACHINE)).isEmpty();
    provider.destroy(MACHINE);
  }

  @Test
  void anEndMayBeWithoutWords() {
    // No content is what some say who have done it.
    market.on(DESTROY, 204, "");
    provider.destroy(MACHINE);
    assertThat(market.calls()).hasSize(1);
  }

  @Test
  void anAddressThatTheListLeavesOutIsAskedFor() {
    // One shape of the list has no addresses: the machine itself is asked, and not forgotten.
    market.on(
        LIST,
        200,
        "{\"data\":{\"instances\":[{\"id\":\"m-1\",\"attributes\":{\"name\":\""
            + LABEL
            + "\",\"status\":\"running\"}}]}}");
    market.on(SHOW, 200, "{\"id\":\"m-1\",\"status\":\"running\",\"ipAddress\":\"0.0.0.0\"}");
    market.on(SHOW, 200, "{\"id\":\"m-1\",\"status\":\"running\",\"ipAddress\":\"127.0.0.1\"}");
    assertThat(provider.inspect(MACHINE)).containsInstanceOf(InstanceStatus.Starting.class);
    assertThat(((HasPublicPorts) provider).publicPort(MACHINE, 8000))
        .contains(new PublicPort("127.0.0.1", 8000));
  }

  @ParameterizedTest
  @CsvSource({
    "creating, Starting",
    "STARTING, Starting",
    "Dreaming, Starting",
    "'', Starting",
    "StoppedDisassociated, Failed",
    "Stopping, Failed",
    "error, Failed",
    "deleting, Failed"
  })
  void aStatusIsNeverMoreThanWhatIsSaid(String said, String status) {
    // Words that nobody knows are on their way up; what stands still costs on.
    market.on(LIST, 200, "{\"data\":[]}");
    market.on(SHOW, 200, "{\"id\":\"m-1\",\"status\":\"" + said + "\"}");
    InstanceStatus found = provider.inspect(MACHINE).orElseThrow();
    assertThat(found.getClass().getSimpleName()).isEqualTo(status);
  }

  @Test
  void theLoginIsTheOneOfTheVirtualMachine() {
    // Never root, whatever the request said; the key is installed by the first start.
    market.on(SEARCH, 200, LOCATIONS).on(CREATE, 201, "{\"data\":{\"id\":\"m-1\"}}");
    provider.create(request());
    String asked =
        market.calls().stream().filter(call -> call.startsWith("POST")).findFirst().orElseThrow();
    assertThat(asked)
        .contains("/home/user/.ssh/authorized_keys", "\"useDedicatedIp\":true", "\"ssh_key\":\"")
        .contains("\"a40-pcie-48gb\":{\"count\":1}");
  }
}
