package gpuaas.vastai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.market.ScriptedMarket;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
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
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
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
import org.junit.jupiter.params.provider.ValueSource;

/** The market as others have met it: every shape that it is known to answer in. */
class VastaiOtherTest {

  private static final String KEY = "a-key";
  private static final String SEARCH = "POST /api/v0/bundles/";
  private static final String OLD_SEARCH = "GET /api/v0/bundles/";
  private static final String LIST = "GET /api/v0/instances/";
  private static final String PAGES = "GET /api/v1/instances/";
  private static final String ASK = "PUT /api/v0/asks/7/";
  private static final String SHOW = "GET /api/v0/instances/42/";
  private static final String DESTROY = "DELETE /api/v0/instances/42/";
  private static final String OFFERS =
      "{\"offers\":[{\"id\":7,\"num_gpus\":1,\"gpu_ram\":24564.0,\"gpu_name\":\"RTX_4090\","
          + "\"dph_total\":0.34}]}";
  private static final String OURS =
      "{\"id\":42,\"label\":\"other/00000000-0000-0001-0000-000000000001/1/1x340000\",%s}";
  private static final InstanceRef MACHINE = new InstanceRef("vastai", "42");

  @TempDir private Path folder;

  @AutoClose private final ScriptedMarket market = new ScriptedMarket();
  @AutoClose private Provider provider;

  @BeforeEach
  void open() {
    Map<String, String> values = new HashMap<>();
    values.put("base-url", market.url("/api/v0"));
    values.put("api-key", KEY);
    values.put("calls-per-second", "1000");
    values.put("burst", "100");
    values.put("offers-every", "0s");
    values.put("look-every", "0s");
    values.put("appear-limit", "0s");
    values.put("ssh-limit", "1s");
    provider =
        new VastaiFactory()
            .open(new ProviderConfig("vastai", "other", folder, InstantSource.system(), values));
  }

  private InstanceRequest request() {
    Offer offer = provider.offers(OfferQuery.all()).getFirst();
    OwnerTag tag = new OwnerTag("other", new UUID(1, 1), 1);
    return new InstanceRequest(tag, offer, "", List.of(), "", List.of(), Map.of(), "other");
  }

  private static String shown(String fields) {
    return "{\"instances\":" + OURS.formatted(fields) + "}";
  }

  @Test
  void whereTheDocumentedSearchIsNotKnownTheOlderOneIsUsed() {
    // Found out once, and kept to.
    market.on(SEARCH, 405, "Method Not Allowed").on(OLD_SEARCH, 200, OFFERS);
    assertThat(provider.offers(OfferQuery.all())).hasSize(1);
    assertThat(provider.offers(OfferQuery.all())).hasSize(1);
    assertThat(market.calls()).hasSize(3);
    assertThat(market.calls().get(1)).contains("?q=%7B%22rentable%22");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "404|{\"success\":false,\"error\":\"auth_error\",\"msg\":\"Invalid user key\"}",
        "404|{\"msg\":\"Invalid user key\"}",
        "401|{\"success\":false,\"error\":\"auth_error\"}",
        "403|{\"success\":false,\"error\":\"auth_error\"}"
      })
  void aKeyThatIsNotKnownIsThatUnderEveryCode(int status, String body) {
    // Neither no offers nor no such path: and nothing else is tried with it.
    market.on(SEARCH, status, body).on(LIST, status, body).on(SHOW, status, body);
    market.on(OLD_SEARCH, 200, OFFERS);
    assertThatThrownBy(() -> provider.offers(OfferQuery.all()))
        .isInstanceOf(ProviderException.BadCredentials.class);
    assertThatThrownBy(() -> provider.list("other"))
        .isInstanceOf(ProviderException.BadCredentials.class);
    assertThatThrownBy(() -> provider.inspect(MACHINE))
        .isInstanceOf(ProviderException.BadCredentials.class);
  }

  @Test
  void whatTheSearchWasNotAskedForIsNotShown() {
    // A market that takes no notice of filters and order: not rentable, a bid, not reliable, dear.
    String offer =
        "{\"id\":%d,\"num_gpus\":1,\"gpu_ram\":24564,\"gpu_name\":\"RTX 4090\",\"dph_total\":%s%s}";
    List<String> offers =
        List.of(
            offer.formatted(1, "0.9", ""),
            offer.formatted(2, "0.5", ""),
            offer.formatted(3, "0.1", ",\"rented\":true"),
            offer.formatted(4, "0.1", ",\"rentable\":false"),
            offer.formatted(5, "0.1", ",\"is_bid\":true"),
            offer.formatted(6, "0.1", ",\"reliability2\":0.5"),
            offer.formatted(7, "0.1", ",\"verification\":\"unverified\""),
            offer.formatted(8, "0.1", ",\"disk_space\":10.5"),
            offer.formatted(9, "-1", ""),
            offer.formatted(10, "\"0.1\"", ""),
            "null");
    market.on(SEARCH, 200, "{\"offers\":[" + String.join(",", offers) + "]}");
    assertThat(provider.offers(OfferQuery.all())).extracting(Offer::id).containsExactly("2", "1");
  }

  @Test
  void nullIsAnEmptyListAndNoListIsNone() {
    // Some write null for nothing; an answer without the word says nothing.
    market.on(SEARCH, 200, "{\"offers\":null}").on(SEARCH, 200, "{}");
    assertThat(provider.offers(OfferQuery.all())).isEmpty();
    assertThatThrownBy(() -> provider.offers(OfferQuery.all()))
        .isInstanceOf(ProviderException.Unavailable.class);
    market.on(LIST, 200, "{\"instances\":null}").on(LIST, 200, "{\"success\":false}");
    assertThat(provider.list("other")).isEmpty();
    assertThatThrownBy(() -> provider.list("other"))
        .isInstanceOf(ProviderException.Unavailable.class);
  }

  @Test
  void theListComesWholeOrByPages() {
    // The newer form where the older is not known; its pages are read to the end.
    String one = OURS.formatted("\"start_date\":1.5");
    String foreign = "{\"id\":43,\"label\":null}";
    market.on(LIST, 404, "{\"error\":\"not_found\"}");
    market.on(PAGES, 200, "{\"instances\":[" + foreign + "],\"next_token\":\"a b\"}");
    market.on(PAGES, 200, "{\"instances\":[" + one + "],\"next_token\":null}");
    assertThat(provider.list("other")).extracting(Owned::instance).containsExactly(MACHINE);
    assertThat(market.calls().getLast()).contains("after_token=a+b");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"success\":false,\"error\":\"x\",\"new_contract\":42}",
        "{\"new_contract\":\"42\"}"
      })
  void aContractIsAMachineWhateverElseIsSaid(String body) {
    // It costs money, so it is ours.
    market.on(SEARCH, 200, OFFERS).on(ASK, 200, body);
    assertThat(provider.create(request())).isEqualTo(MACHINE);
    String asked =
        market.calls().stream().filter(call -> call.startsWith("PUT")).findFirst().orElseThrow();
    assertThat(asked)
        .contains("\"label\":\"other/00000000-0000-0001-0000-000000000001/1/1x340000\"");
    assertThat(asked).doesNotContain("\"price\"").contains("\"ssh_key\":\"ssh-ed25519 ");
  }

  @Test
  void aPriceThatAComputerHasWrittenIsTheSamePrice() {
    // A third, or the nearest binary number to 0.34, is no rise in price.
    market.on(SEARCH, 200, OFFERS).on(ASK, 200, "{\"success\":true,\"new_contract\":42}");
    market.on(SHOW, 200, shown("\"dph_total\":0.34000000000000002"));
    assertThat(provider.create(request())).isEqualTo(MACHINE);
    assertThat(market.calls()).noneMatch(call -> call.startsWith("DELETE"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "200|{\"instances\":null}",
        "200|{\"instances\":[]}",
        "404|{\"success\":false,\"error\":\"no_such_instance\"}",
        "200|{\"success\":false,\"error\":\"no_such_instance\",\"msg\":\"Instance 42 not found.\"}",
        "404|404 page not found"
      })
  void goneIsSaidInManyWays(int status, String body) {
    // Each of them is an answer; none of them is a failure.
    market.on(SHOW, status, body);
    assertThat(provider.inspect(MACHINE)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "200|{}",
        "200|{\"instances\":{}}",
        "200|{\"instances\":{\"id\":43}}",
        "200|{\"success\":false,\"msg\":\"try later\"}",
        "200|``",
        "400|{\"success\":false,\"error\":\"invalid_args\"}",
        "500|oops",
        "503|{\"instances\":null}"
      })
  void whatIsNoAnswerIsNotGone(int status, String body) {
    // Nobody's machine may be given up because a market stammers.
    market.on(SHOW, status, body);
    assertThatThrownBy(() -> provider.inspect(MACHINE))
        .isInstanceOf(ProviderException.Unavailable.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {"200|{\"success\":true}", "204|``", "200|``", "404|{}", "404|not found"})
  void anEndIsAnEndWithOrWithoutWords(int status, String body) {
    // Accepted, or already gone.
    market.on(DESTROY, status, body);
    provider.destroy(MACHINE);
    assertThat(market.calls()).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"actual_status\":\"teleporting\"|Starting",
        "\"actual_status\":\"Loading\"|Starting",
        "\"actual_status\":null|Starting",
        "\"actual_status\":\"running\"|Starting",
        "\"actual_status\":\"running\",\"ssh_host\":\"\",\"ssh_port\":0|Starting",
        "\"actual_status\":\"running\",\"ssh_host\":null,\"ssh_port\":null,\"ports\":[22]|Starting",
        "\"actual_status\":\"running\",\"ssh_host\":\"127.0.0.1\",\"ssh_port\":1|Starting",
        "\"actual_status\":\"exited\",\"status_msg\":\"oom\"|Failed",
        "\"actual_status\":\"EXITED\"|Failed",
        "\"actual_status\":null,\"status_msg\":\"OCI runtime create failed: x\"|Failed",
        "\"actual_status\":\"running\",\"intended_status\":\"stopped\"|Failed",
        "\"actual_status\":\"running\",\"dph_total\":0.341|Failed",
        "\"actual_status\":\"running\",\"num_gpus\":0|Failed"
      })
  void aStatusIsNeverMoreThanWhatIsSaid(String fields, String status) {
    // Unknown words are on their way up; without an address, or an answer there, nothing is up.
    market.on(SHOW, 200, shown(fields));
    InstanceStatus found = provider.inspect(MACHINE).orElseThrow();
    assertThat(found.getClass().getSimpleName()).isEqualTo(status);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "400|{\"error\":\"invalid_args\",\"msg\":\"error 404/3603: no_such_ask\"}|OfferGone",
        "404|{\"success\":false,\"msg\":\"error 404/3603: no_such_ask Instance type\"}|OfferGone",
        "410|{\"error\":\"no_such_ask\"}|OfferGone",
        "200|{\"success\":false,\"error\":\"no_such_ask\"}|OfferGone",
        "402|{\"msg\":\"pay\"}|NoCapacity",
        "400|{\"error\":\"insufficient_credit\"}|NoCapacity",
        "400|{\"error\":\"invalid_price\"}|Rejected",
        "429|API requests too frequent|RateLimited",
        "429|{\"detail\":\"slow down\"}|RateLimited",
        "200|{\"success\":true}|OutcomeUnknown",
        "200|``|OutcomeUnknown",
        "502|bad gateway|OutcomeUnknown"
      })
  void aNoIsTakenForWhatItIs(int status, String body, String conclusion) {
    // Each leads to another thing that the core does next.
    market.on(SEARCH, 200, OFFERS).on(ASK, status, body);
    InstanceRequest request = request();
    assertThatThrownBy(() -> provider.create(request))
        .isInstanceOf(ProviderException.class)
        .satisfies(no -> assertThat(no.getClass().getSimpleName()).isEqualTo(conclusion));
  }

  @Test
  void theSimulatedMarketKnowsBothSearches() throws Exception {
    // With filters by their operators, and model names with either blanks or underscores.
    try (SimServer sim =
            VastaiApiSim.server(
                    InstantSource.system(), SimRules.quick(), folder.resolve("sim"), KEY, 7)
                .start(0);
        HttpClient client = HttpClient.newHttpClient()) {
      String filter = "{\"gpu_name\":{\"eq\":\"RTX_5090\"},\"num_gpus\":{\"in\":[2,4]}}";
      String query = "/api/v0/bundles/?q=" + URLEncoder.encode(filter, StandardCharsets.UTF_8);
      HttpRequest.Builder get = HttpRequest.newBuilder(sim.url().resolve(query));
      HttpRequest.Builder post =
          HttpRequest.newBuilder(URI.create(sim.url() + "/bundles/"))
              .POST(HttpRequest.BodyPublishers.ofString(filter));
      for (HttpRequest.Builder form : List.of(get, post)) {
        String answer =
            client
                .send(
                    form.header("Authorization", "Bearer " + KEY).build(), BodyHandlers.ofString())
                .body();
        assertThat(answer.split("\"gpu_name\":\"RTX 5090\"", -1)).hasSize(4);
        assertThat(answer).doesNotContain("RTX 4090", "\"num_gpus\":1,");
      }
    }
  }
}
