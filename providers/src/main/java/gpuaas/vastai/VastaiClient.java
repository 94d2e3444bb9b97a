package gpuaas.vastai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.market.Machine;
import gpuaas.market.MarketApi;
import gpuaas.market.MarketHttp;
import gpuaas.market.MarketHttp.Answer;
import gpuaas.market.MarketHttp.Kind;
import gpuaas.market.MarketLabel;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.Offer;
import gpuaas.spi.ProviderException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** The calls of the Vast.ai API. Each of its ways to say no is told apart here. */
final class VastaiClient implements MarketApi {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final Duration TOO_FREQUENT = Duration.ofSeconds(5);
  private static final int PAYMENT_REQUIRED = 402;
  private static final Pattern CREDIT =
      Pattern.compile("credit|balance|billing|quota|limit reached|spending");

  private final MarketHttp http;
  private final VastaiSettings settings;
  private final VastaiHosts hosts;
  private final VastaiTypes types;
  private final VastaiRequest requests;
  private final VastaiSearch search;
  private final VastaiList list;
  private final String provider;
  private final InstantSource clock;

  VastaiClient(
      MarketHttp http,
      VastaiSettings settings,
      VastaiHosts hosts,
      String provider,
      InstantSource clock) {
    this.http = http;
    this.settings = settings;
    this.hosts = hosts;
    this.types = new VastaiTypes(settings);
    this.requests = new VastaiRequest(settings);
    this.search = new VastaiSearch(http, settings);
    this.list = new VastaiList(http);
    this.provider = provider;
    this.clock = clock;
  }

  @Override
  public List<Offer> offers(int limit) {
    JsonNode said = search.offers(limit);
    hosts.replace(said);
    List<Offer> offers = new ArrayList<>();
    for (JsonNode offer : said) {
      types.offer(offer, provider, clock.instant()).ifPresent(offers::add);
    }
    offers.sort(Comparator.comparingLong(VastaiClient::price).thenComparing(Offer::id));
    return offers.stream().limit(limit).toList();
  }

  private static long price(Offer offer) {
    return offer.pricePerGpuHour().times(offer.gpuCount()).micros();
  }

  @Override
  public String create(InstanceRequest request, MarketLabel label, String publicKey) {
    checkRoom(request);
    Answer answer =
        http.call(
            "PUT",
            ask(request.offer().id()),
            Optional.of(requests.body(request, label, publicKey)),
            Kind.WRITE);
    JsonNode contract = answer.json().path("new_contract");
    // A contract is a machine, whatever else is said with it.
    if (contract.asText("").matches("[1-9][0-9]{0,17}")) {
      return contract.asText();
    }
    throw no(answer, Kind.WRITE);
  }

  /** A machine with less disk than is asked for is not asked for. */
  private void checkRoom(InstanceRequest request) {
    int wanted = request.launch().diskGb();
    double most =
        hosts
            .find(request.offer().id())
            .map(host -> host.path("disk_space").asDouble(Double.MAX_VALUE))
            .orElse(Double.MAX_VALUE);
    if (wanted > settings.diskGb() && wanted > most) {
      throw new ProviderException.OfferGone(
          "its machine has no " + wanted + " GB of disk, but " + (long) most);
    }
  }

  private static String ask(String offer) {
    if (!offer.matches("[0-9]{1,18}")) {
      throw new ProviderException.Rejected("not an offer of Vast.ai: " + offer);
    }
    return "/asks/" + offer + "/";
  }

  @Override
  public void attachKey(String machine, String publicKey) {
    ObjectNode body = NODES.objectNode().put("ssh_key", publicKey);
    Answer answer = http.call("POST", path(machine) + "ssh/", Optional.of(body), Kind.WRITE);
    boolean there = answer.text().toLowerCase(Locale.ROOT).contains("already");
    if (!there && (!answer.isOk() || saysNo(answer))) {
      throw no(answer, Kind.WRITE);
    }
  }

  @Override
  public Optional<Machine> show(String machine) {
    Answer answer = http.call("GET", path(machine), Optional.empty(), Kind.READ);
    boolean gone = answer.status() == 404 || words(answer).contains("no_such_instance");
    if (gone && !isAboutTheKey(answer)) {
      return Optional.empty();
    }
    if (!answer.isOk() || !answer.json().has("instances")) {
      throw no(answer, Kind.READ);
    }
    JsonNode instance = answer.json().path("instances");
    if (instance.isNull() || (instance.isArray() && instance.isEmpty())) {
      return Optional.empty(); // this is how gone is said
    }
    JsonNode one = instance.isArray() ? instance.path(0) : instance;
    return Optional.of(
        types
            .machine(one)
            .filter(found -> found.id().equals(machine))
            .orElseThrow(() ->
                new ProviderException.Unavailable(
                    "asked for a machine, told another thing", null)));
  }

  @Override
  public List<Machine> list() {
    List<Machine> machines = new ArrayList<>();
    list.all().forEach(instance -> types.machine(instance).ifPresent(machines::add));
    return machines;
  }

  @Override
  public boolean destroy(String machine) {
    Answer answer = http.call("DELETE", path(machine), Optional.empty(), Kind.WRITE);
    String words = words(answer);
    if (words.contains("no_such_instance") || words.contains("not_found")) {
      return false;
    }
    if (answer.status() == 404 && !isAboutTheKey(answer)) {
      return false;
    }
    if (!answer.isOk() || saysNo(answer)) {
      throw no(answer, Kind.WRITE);
    }
    return true;
  }

  private static String path(String machine) {
    if (!machine.matches("[0-9]{1,18}")) {
      throw new ProviderException.Rejected("not a machine of Vast.ai: " + machine);
    }
    return "/instances/" + machine + "/";
  }

  /**
   * An array that must be there: an answer without it says nothing about what there is. Some write
   * null for one that is empty.
   */
  static JsonNode needed(Answer answer, String field) {
    JsonNode array = answer.json().path(field);
    if (answer.isOk() && array.isNull() && !saysNo(answer)) {
      return NODES.arrayNode();
    }
    if (!answer.isOk() || !array.isArray()) {
      throw no(answer, Kind.READ);
    }
    return array;
  }

  private static boolean saysNo(Answer answer) {
    return !answer.json().path("success").asBoolean(true);
  }

  static boolean isAboutTheKey(Answer answer) {
    return words(answer).contains("auth_error") || words(answer).contains("invalid user key");
  }

  private static String words(Answer answer) {
    return answer.text().toLowerCase(Locale.ROOT);
  }

  /** What a no means. The codes overlap, so the words decide first. */
  private static ProviderException no(Answer answer, Kind kind) {
    String words = words(answer);
    String said = answer.status() + " " + answer.text();
    if (isAboutTheKey(answer)) {
      return new ProviderException.BadCredentials(said);
    }
    boolean asked = kind == Kind.WRITE;
    if (asked && (words.contains("no_such_ask") || words.contains("not available"))) {
      return new ProviderException.OfferGone(said);
    }
    if (words.contains("too frequent")) {
      return new ProviderException.RateLimited(said, TOO_FREQUENT);
    }
    if (answer.status() == PAYMENT_REQUIRED || CREDIT.matcher(words).find()) {
      return new ProviderException.NoCapacity(said);
    }
    if (answer.status() == 403) {
      return new ProviderException.BadCredentials(said);
    }
    if (answer.status() / 100 == 4 || saysNo(answer)) {
      return asked
          ? new ProviderException.Rejected(said)
          : new ProviderException.Unavailable(said, null);
    }
    return MarketHttp.lost(kind, "not understood: " + said, null);
  }

  @Override
  public void close() {
    http.close();
  }
}
