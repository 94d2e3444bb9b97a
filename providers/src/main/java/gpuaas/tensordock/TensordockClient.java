package gpuaas.tensordock;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.market.Machine;
import gpuaas.market.MarketApi;
import gpuaas.market.MarketHttp;
import gpuaas.market.MarketHttp.Answer;
import gpuaas.market.MarketHttp.Kind;
import gpuaas.market.MarketLabel;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceRequest.Launch;
import gpuaas.spi.Offer;
import gpuaas.spi.ProviderException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** The calls of the TensorDock API, version 2. Its list is read in both of its shapes. */
final class TensordockClient implements MarketApi {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");

  private static final int COMMAND_MOST = 4096;
  private static final int DEPTH_MOST = 3;

  /** Its words for: not here, not now. */
  private static final Pattern FULL =
      Pattern.compile(
          "no available|capacity|unavailable|not available|no gpus|no matching|requested gpu|out of"
              + " stock|maintenance|high demand|sold out|fully allocated|cannot allocate|allocation"
              + " failed|resource limit|quota|limit reached|maximum|public"
              + " ip|balance|credit|funds");

  private final MarketHttp http;
  private final TensordockSettings settings;
  private final TensordockTypes types;
  private final String provider;
  private final InstantSource clock;

  TensordockClient(
      MarketHttp http, TensordockSettings settings, String provider, InstantSource clock) {
    this.http = http;
    this.settings = settings;
    this.types = new TensordockTypes(settings);
    this.provider = provider;
    this.clock = clock;
  }

  @Override
  public List<Offer> offers(int limit) {
    Answer answer = http.call("GET", "/locations", Optional.empty(), Kind.READ);
    JsonNode locations = answer.json().path("data").path("locations");
    if (!answer.isOk() || !locations.isArray()) {
      throw no(answer, Kind.READ);
    }
    List<Offer> offers = new ArrayList<>();
    for (JsonNode location : locations) {
      offers.addAll(types.offers(location, provider, clock.instant()));
    }
    offers.sort(Comparator.comparingLong(TensordockClient::price).thenComparing(Offer::id));
    return offers.stream().limit(limit).toList();
  }

  private static long price(Offer offer) {
    return offer.pricePerGpuHour().times(offer.gpuCount()).micros();
  }

  @Override
  public String create(InstanceRequest request, MarketLabel label, String publicKey) {
    ObjectNode body = NODES.objectNode();
    ObjectNode data = body.putObject("data").put("type", "virtualmachine");
    data.set("attributes", attributes(request, label, publicKey));
    Answer answer = http.call("POST", "/instances", Optional.of(body), Kind.WRITE);
    String id = answer.json().path("data").path("id").asText("");
    if (answer.isOk() && id.matches(TensordockTypes.MACHINE)) {
      return id;
    }
    throw no(answer, Kind.WRITE);
  }

  private ObjectNode attributes(InstanceRequest request, MarketLabel label, String publicKey) {
    String id = request.offer().id();
    TensordockOffer offer =
        TensordockOffer.parse(id)
            .orElseThrow(() -> new ProviderException.Rejected("not an offer of TensorDock: " + id));
    Launch launch = launch(request);
    int count = offer.count();
    if (request.offer().gpuCount() != count) {
      throw new ProviderException.OfferGone("the offer is of " + count + " GPUs, and of no others");
    }
    ObjectNode attributes = NODES.objectNode();
    attributes.put("name", label.dotted()).put("type", "virtualmachine");
    attributes.put("image", settings.image()).put("location_id", offer.place());
    ObjectNode resources = attributes.putObject("resources");
    resources.put("vcpu_count", settings.processorsPerGpu() * count);
    resources.put("ram_gb", settings.memoryGbPerGpu() * count);
    resources.put("storage_gb", Math.max(settings.diskGb(), launch.diskGb()));
    resources.putObject("gpus").putObject(offer.slug()).put("count", count);
    attributes.put("useDedicatedIp", true); // forwarded ports were ignored, or became others
    attributes.put("ssh_key", publicKey);
    attributes.set(
        "cloud_init", firstStart(request.environment(), publicKey, launch.startCommand()));
    return attributes;
  }

  /**
   * What virtual machines cannot begin with is refused; the ports of a dedicated address are open.
   */
  private static Launch launch(InstanceRequest request) {
    Launch launch = request.launch();
    if (!request.image().isEmpty() || launch.mode() == Launch.Mode.IMAGE) {
      throw new ProviderException.Rejected("virtual machines of TensorDock run no images of ours");
    }
    if (!launch.template().isEmpty()) {
      throw new ProviderException.Rejected("TensorDock has no templates");
    }
    if (launch.startCommand().length() > COMMAND_MOST) {
      throw new ProviderException.Rejected(
          "a start command has at most " + COMMAND_MOST + " characters there");
    }
    for (int port : launch.ports()) {
      if (port < 1 || port > TensordockTypes.PORT_MOST) {
        throw new ProviderException.Rejected("not a port: " + port);
      }
    }
    return launch;
  }

  /** The key must be given, and is not installed by that: the machine does it as it starts. */
  private static ObjectNode firstStart(
      Map<String, String> environment, String publicKey, String startCommand) {
    ObjectNode cloudInit = NODES.objectNode();
    ArrayNode commands = cloudInit.putArray("runcmd");
    for (String home : List.of("/root", "/home/user")) {
      commands.add(
          "mkdir -p "
              + home
              + "/.ssh && echo '"
              + publicKey
              + "' >> "
              + home
              + "/.ssh/authorized_keys");
    }
    commands.add("chown -R user:user /home/user/.ssh");
    environment.forEach((name, value) -> {
      if (!VARIABLE.matcher(name).matches() || !value.matches("[^\\p{Cntrl}'\"\\\\]{0,4096}")) {
        throw new ProviderException.Rejected("not a variable that it takes: " + name);
      }
      commands.add("echo '" + name + "=\"" + value + "\"' >> /etc/environment");
    });
    if (!startCommand.isEmpty()) {
      // All lines become one script: nothing in this one may end it or hold it up.
      String encoded =
          Base64.getEncoder().encodeToString(startCommand.getBytes(StandardCharsets.UTF_8));
      commands.add("echo '" + encoded + "' | base64 -d > /root/start-command");
      commands.add("nohup bash /root/start-command > /root/start-command.log 2>&1 < /dev/null &");
    }
    return cloudInit;
  }

  @Override
  public void attachKey(String machine, String publicKey) {
    // It went with the request, and there is no other way.
  }

  @Override
  public Optional<Machine> show(String machine) {
    Answer answer = http.call("GET", "/instances/" + machine, Optional.empty(), Kind.READ);
    if (answer.status() == 404 || said(answer) == 404) {
      return Optional.empty();
    }
    Optional<Machine> found = types.machine(answer.json());
    if (!answer.isOk() || said(answer) >= 400 || found.isEmpty()) {
      throw no(answer, Kind.READ);
    }
    return found;
  }

  /**
   * All shapes: {@code data} is the array, or has one called {@code instances} in it, or deeper.
   */
  @Override
  public List<Machine> list() {
    Answer answer = http.call("GET", "/instances", Optional.empty(), Kind.READ);
    Optional<JsonNode> all = all(answer.json(), DEPTH_MOST);
    if (!answer.isOk() || said(answer) != 0 || all.isEmpty()) {
      throw no(answer, Kind.READ);
    }
    List<Machine> machines = new ArrayList<>();
    for (JsonNode one : all.get()) {
      types.machine(one).ifPresent(machines::add);
    }
    return machines;
  }

  /** Empty: there is no list in it, which is not the same as an empty list. */
  private static Optional<JsonNode> all(JsonNode said, int depth) {
    for (String name : List.of("instances", "data")) {
      JsonNode inner = said.path(name);
      if (inner.isArray()) {
        return Optional.of(inner);
      }
      if (inner.isObject() && depth > 0) {
        return all(inner, depth - 1);
      }
    }
    return Optional.empty();
  }

  @Override
  public boolean destroy(String machine) {
    Answer answer = http.call("DELETE", "/instances/" + machine, Optional.empty(), Kind.WRITE);
    if (answer.status() == 404 || said(answer) == 404) {
      return false;
    }
    if (!answer.isOk() || said(answer) >= 400) {
      throw no(answer, Kind.WRITE);
    }
    return true;
  }

  /** A failure inside a 200: {@code {"status":400,"error":"…"}}. */
  private static int said(Answer answer) {
    JsonNode json = answer.json();
    return json.hasNonNull("error") ? json.path("status").asInt(400) : 0;
  }

  private static ProviderException no(Answer answer, Kind kind) {
    String words = answer.text().toLowerCase(Locale.ROOT);
    String message = answer.status() + " " + answer.text();
    boolean isError = answer.status() / 100 == 4 || said(answer) != 0 || answer.json().isArray();
    if (said(answer) == 401 || said(answer) == 403 || answer.status() == 403) {
      return new ProviderException.BadCredentials(message);
    }
    if (!isError || said(answer) >= 500) {
      return MarketHttp.lost(kind, "not understood: " + message, null);
    }
    if (kind == Kind.READ) {
      return new ProviderException.Unavailable(message, null);
    }
    return FULL.matcher(words).find()
        ? new ProviderException.NoCapacity(message)
        : new ProviderException.Rejected(message);
  }

  @Override
  public void close() {
    http.close();
  }
}
