package gpuaas.tensordock;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.market.sim.SimAnswer;
import gpuaas.market.sim.SimApi;
import gpuaas.market.sim.SimCall;
import gpuaas.market.sim.SimMarket;
import gpuaas.market.sim.SimOffer;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.market.sim.SimSetup;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The API of TensorDock over a simulated market, with its manners: a list that comes in three
 * shapes by turns, failures inside a 200, no address at first, and a key that only the first start
 * installs.
 */
public final class TensordockApiSim implements SimApi {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final Pattern INSTANCE = Pattern.compile("/instances/([0-9a-f-]{36})");
  private static final Pattern KEY =
      Pattern.compile("echo '([^']{1,800})' >> /home/user/\\.ssh/authorized_keys");
  private static final Pattern START =
      Pattern.compile("echo '([A-Za-z0-9+/=]{1,8000})' \\| base64");
  private static final long VCPU_MICROS = 3_000;
  private static final long MEMORY_GB_MICROS = 2_000;
  private static final long DISK_GB_MICROS = 50;
  private static final long HOURS_A_MONTH = 730;
  private static final int LEAST_DISK = 100;

  private final SimMarket market;
  private final AtomicLong numbers;
  private final AtomicInteger lists = new AtomicInteger();

  private TensordockApiSim(SimMarket market, long seed) {
    this.market = market;
    this.numbers = new AtomicLong(seed << 20);
  }

  /**
   * A market that does not listen yet.
   *
   * @param folder where the machines have their files
   * @param key the token that it knows
   * @param seed what it asks for what it has
   */
  public static SimServer server(
      InstantSource clock, SimRules rules, Path folder, String key, long seed) {
    SimMarket market = new SimMarket(clock, rules, folder, "user", offers(seed));
    return new SimServer(new TensordockApiSim(market, seed), market, key, seed);
  }

  private static List<SimOffer> offers(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<SimOffer> offers = new ArrayList<>();
    record Model(String slug, int memoryGb, long micros) {}
    List<Model> models =
        List.of(
            new Model("geforcertx4090-pcie-24gb", 24, 350_000),
            new Model("a40-pcie-48gb", 48, 400_000),
            new Model("h100-sxm5-80gb", 80, 2_250_000));
    long number = 1;
    for (String place : List.of("Chubbuck|Idaho|United States", "Joplin|Missouri|United States")) {
      for (Model model : models) {
        long micros = model.micros() * (95L + random.nextInt(10)) / 100;
        for (int gpus : new int[] {1, 1, 1, 2, 4}) {
          offers.add(
              new SimOffer(
                  number++,
                  model.slug(),
                  model.memoryGb() * 1024,
                  gpus,
                  micros * gpus,
                  DISK_GB_MICROS * HOURS_A_MONTH,
                  place,
                  16 * gpus,
                  65_536 * gpus,
                  1000));
        }
      }
    }
    return offers;
  }

  @Override
  public String base() {
    return "/api/v2";
  }

  @Override
  public String operation(SimCall call) {
    if (call.path().equals("/locations")) {
      return "search";
    }
    if (call.path().equals("/instances")) {
      return call.method().equals("POST") ? "create" : "list";
    }
    if (INSTANCE.matcher(call.path()).matches()) {
      return call.method().equals("DELETE") ? "destroy" : "show";
    }
    return "other";
  }

  @Override
  public SimAnswer answer(SimCall call) {
    return switch (call.method() + " " + operation(call)) {
      case "GET search" -> locations();
      case "POST create" -> create(call.body().path("data").path("attributes"));
      case "GET list" -> list();
      case "GET show" -> show(id(call));
      case "DELETE destroy" -> destroy(id(call));
      default -> inside(404, "Not found");
    };
  }

  private static String id(SimCall call) {
    Matcher matcher = INSTANCE.matcher(call.path());
    return matcher.matches() ? matcher.group(1) : "";
  }

  @Override
  public SimAnswer unknownKey() {
    return SimAnswer.json(401, NODES.objectNode().put("error", "Unauthorized"));
  }

  @Override
  public SimAnswer tooMany() {
    return new SimAnswer(
        429,
        Map.of("Content-Type", "application/json", "RateLimit-Reset", "1"),
        "{\"error\":\"Too many requests\"}");
  }

  /** The third way to say no: an array. */
  @Override
  public SimAnswer quotaUsedUp() {
    ArrayNode problems = NODES.arrayNode();
    problems
        .addObject()
        .put("code", "custom")
        .put("message", "Organization balance is below $1")
        .putArray("path");
    return SimAnswer.json(400, problems);
  }

  /** A failure that comes with a 200. */
  private static SimAnswer inside(int status, String error) {
    return SimAnswer.json(200, NODES.objectNode().put("status", status).put("error", error));
  }

  private static String placeId(String place) {
    return new UUID(place.hashCode() & 0xffffffffL, 0x8000_0000_0000_0001L).toString();
  }

  private SimAnswer locations() {
    Map<String, Map<String, SimOffer>> largest = new LinkedHashMap<>();
    for (SimOffer offer : market.offers()) {
      largest
          .computeIfAbsent(offer.place(), _ -> new LinkedHashMap<>())
          .merge(offer.gpuName(), offer, (one, other) -> one.gpus() >= other.gpus() ? one : other);
    }
    ObjectNode answer = NODES.objectNode();
    ArrayNode locations = answer.putObject("data").putArray("locations");
    largest.forEach((place, gpus) -> {
      String[] words = place.split("\\|", 3);
      ArrayNode kinds =
          locations
              .addObject()
              .put("id", placeId(place))
              .put("city", words[0])
              .put("stateprovince", words[1])
              .put("country", words[2])
              .put("tier", 3)
              .putArray("gpus");
      gpus.values().forEach(offer -> kinds.add(kind(offer)));
    });
    return SimAnswer.json(200, answer);
  }

  private static ObjectNode kind(SimOffer offer) {
    String name =
        offer.gpuName().startsWith("geforcertx")
            ? "NVIDIA GeForce RTX 4090 PCIe 24GB"
            : offer.gpuName(); // some are listed under their slug
    ObjectNode kind =
        NODES
            .objectNode()
            .put("v0Name", offer.gpuName())
            .put("displayName", name)
            .put("max_count", offer.gpus())
            .put("price_per_hr", dollars(offer.microsPerHour() / offer.gpus()));
    kind.putObject("resources").put("max_vcpus", 64).put("max_ram_gb", 256);
    kind.putObject("pricing")
        .put("per_vcpu_hr", dollars(VCPU_MICROS))
        .put("per_gb_ram_hr", dollars(MEMORY_GB_MICROS))
        .put("per_gb_storage_hr", dollars(DISK_GB_MICROS));
    kind.putObject("network_features").put("dedicated_ip_available", true);
    return kind;
  }

  private static BigDecimal dollars(long micros) {
    return BigDecimal.valueOf(micros, 6);
  }

  private SimAnswer create(JsonNode asked) {
    JsonNode resources = asked.path("resources");
    long disk = resources.path("storage_gb").asLong();
    Map.Entry<String, JsonNode> gpu =
        resources.path("gpus").propertyStream().findFirst().orElse(null);
    if (gpu == null || disk < LEAST_DISK || !asked.path("ssh_key").isTextual()) {
      return inside(400, "gpus, storage_gb of at least 100 and ssh_key are needed");
    }
    if (!asked.path("useDedicatedIp").asBoolean() && !asked.has("port_forwards")) {
      return inside(400, "SSH port (22) must be forwarded for Ubuntu VMs");
    }
    int count = gpu.getValue().path("count").asInt();
    String id = new UUID(0x4000L, numbers.incrementAndGet() | Long.MIN_VALUE).toString();
    long extra =
        resources.path("vcpu_count").asLong() * VCPU_MICROS
            + resources.path("ram_gb").asLong() * MEMORY_GB_MICROS;
    Optional<SimRental> made =
        market.offers().stream()
            .filter(offer -> placeId(offer.place()).equals(asked.path("location_id").asText()))
            .filter(offer -> offer.gpuName().equals(gpu.getKey()) && offer.gpus() == count)
            .findFirst()
            .flatMap(offer ->
                market.rent(
                    offer.number(),
                    id,
                    asked.path("name").asText(),
                    disk,
                    Map.of(),
                    setup(asked),
                    extra));
    if (made.isEmpty()) {
      return inside(400, "No available nodes found");
    }
    for (JsonNode line : asked.path("cloud_init").path("runcmd")) {
      Matcher matcher = KEY.matcher(line.asText());
      if (matcher.find()) {
        market.attach(id, matcher.group(1));
      }
    }
    ObjectNode answer = NODES.objectNode();
    answer
        .putObject("data")
        .put("type", "virtualmachine")
        .put("id", id)
        .put("name", made.get().label())
        .put("status", "creating");
    return SimAnswer.json(201, answer);
  }

  /** What the first start runs after the keys are there. */
  private static SimSetup setup(JsonNode asked) {
    for (JsonNode line : asked.path("cloud_init").path("runcmd")) {
      Matcher matcher = START.matcher(line.asText());
      if (matcher.lookingAt()) {
        String command =
            new String(Base64.getDecoder().decode(matcher.group(1)), StandardCharsets.UTF_8);
        return new SimSetup(true, List.of(), command);
      }
    }
    return SimSetup.PLAIN;
  }

  /** The three shapes, by turns. */
  private SimAnswer list() {
    int shape = lists.getAndIncrement() % 3;
    boolean flat = shape == 0;
    ObjectNode answer = NODES.objectNode();
    ArrayNode all =
        switch (shape) {
          case 0 -> answer.putArray("data");
          case 1 -> answer.putObject("data").putArray("instances");
          default -> answer.putObject("data").putObject("data").putArray("instances");
        };
    for (SimRental rental : market.listed()) {
      if (flat) {
        all.add(instance(rental));
      } else {
        ObjectNode one = all.addObject().put("type", "VM").put("id", rental.id());
        one.putObject("attributes").put("name", rental.label()).put("status", status(rental));
      }
    }
    return SimAnswer.json(200, answer);
  }

  private SimAnswer show(String id) {
    return market
        .find(id)
        .map(rental -> SimAnswer.json(200, instance(rental)))
        .orElseGet(TensordockApiSim::gone);
  }

  private SimAnswer destroy(String id) {
    if (!market.destroy(id)) {
      return gone();
    }
    ObjectNode answer = NODES.objectNode();
    answer
        .putObject("data")
        .put("type", "success")
        .putObject("attributes")
        .put("message", "Instance deleted successfully");
    return SimAnswer.json(200, answer);
  }

  private static SimAnswer gone() {
    return SimAnswer.json(404, NODES.objectNode().put("error", "Instance not found"));
  }

  private ObjectNode instance(SimRental rental) {
    ObjectNode instance =
        NODES
            .objectNode()
            .put("type", "virtualmachine")
            .put("id", rental.id())
            .put("name", rental.label())
            .put("status", status(rental))
            .put("rateHourly", dollars(rental.microsPerHour()));
    Optional<Integer> port = market.sshPort(rental.id());
    if (port.isPresent()) {
      instance.put("ipAddress", "127.0.0.1");
      instance
          .putArray("portForwards")
          .addObject()
          .put("internal_port", 22)
          .put("external_port", port.get());
    }
    return instance;
  }

  private String status(SimRental rental) {
    if (rental.endedAt().isPresent()) {
      return "deleting";
    }
    if (rental.stoppedAt().isPresent()) {
      return "stopped";
    }
    boolean made = market.now().isAfter(rental.madeAt().plus(market.rules().createdAfter()));
    return rental.runs(market.now()) ? "running" : made ? "starting" : "creating";
  }
}
