package gpuaas.vastai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.market.sim.SimAnswer;
import gpuaas.market.sim.SimApi;
import gpuaas.market.sim.SimCall;
import gpuaas.market.sim.SimFate;
import gpuaas.market.sim.SimMarket;
import gpuaas.market.sim.SimOffer;
import gpuaas.market.sim.SimRental;
import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.market.sim.SimSetup;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The API of Vast.ai over a simulated market: the same paths, the same shapes, and the same
 * surprises. One object under a plural key, {@code null} for what is gone, errors inside a 200, and
 * a vanished offer under three different codes.
 */
public final class VastaiApiSim implements SimApi {

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final Pattern INSTANCE = Pattern.compile("/instances/([0-9]{1,18})/");
  private static final Pattern KEYS = Pattern.compile("/instances/([0-9]{1,18})/ssh/");
  private static final Pattern ASK = Pattern.compile("/asks/([0-9]{1,18})/");
  private static final int[] GONE_CODES = {404, 410, 400};
  static final int LEAST_DISK = 8;
  private static final int LABEL_MOST = 256;
  private static final int COMMAND_MOST = 4096;
  private static final Pattern PORT = Pattern.compile("-p ([0-9]{1,5}):[0-9]{1,5}");

  private final SimMarket market;
  private final AtomicLong contracts;
  private final AtomicInteger gone = new AtomicInteger();

  private VastaiApiSim(SimMarket market, long seed) {
    this.market = market;
    this.contracts = new AtomicLong(20_000_000 + Math.floorMod(seed, 1000) * 1000L);
  }

  /**
   * A market that does not listen yet.
   *
   * @param folder where the machines have their files
   * @param key the API key that it knows
   * @param seed what it has, and what it asks for it
   */
  public static SimServer server(
      InstantSource clock, SimRules rules, Path folder, String key, long seed) {
    SimMarket market = new SimMarket(clock, rules, folder, "root", offers(seed));
    return new SimServer(new VastaiApiSim(market, seed), market, key, seed);
  }

  private static List<SimOffer> offers(long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<SimOffer> offers = new ArrayList<>();
    String[] places = {"California, US", "Quebec, CA", "Sweden, SE", ", US", ""};
    record Model(String name, int memoryMb, long micros) {}
    List<Model> models =
        List.of(
            new Model("RTX 4090", 24_564, 340_000),
            new Model("RTX 5090", 32_607, 520_000),
            new Model("RTX 3090", 24_576, 180_000),
            new Model("A100 SXM4", 81_920, 900_000),
            new Model("H100 SXM", 81_559, 2_100_000));
    long number = 7_000_000L + random.nextInt(1000);
    for (Model model : models) {
      for (int gpus : new int[] {1, 1, 1, 1, 2, 2, 4, 8}) {
        long micros = model.micros() * (90L + random.nextInt(30)) / 100 * gpus;
        offers.add(
            new SimOffer(
                number++,
                model.name(),
                model.memoryMb(),
                gpus,
                micros,
                150_000,
                places[random.nextInt(places.length)],
                8 * gpus,
                32_768 * gpus,
                500 * gpus));
      }
    }
    return offers;
  }

  @Override
  public String base() {
    return "/api/v0";
  }

  @Override
  public String operation(SimCall call) {
    String path = call.path();
    if (path.startsWith("/bundles/")) {
      return "search";
    }
    if (path.equals("/charges/")) {
      return "charges";
    }
    if (path.equals("/template/")) {
      return "templates";
    }
    if (path.startsWith("/asks/")) {
      return "create";
    }
    if (KEYS.matcher(path).matches()) {
      return "attach";
    }
    if (INSTANCE.matcher(path).matches()) {
      return call.method().equals("DELETE") ? "destroy" : "show";
    }
    return path.equals("/instances/") ? "list" : "other";
  }

  @Override
  public SimAnswer answer(SimCall call) {
    String path = call.path();
    return switch (call.method() + " " + operation(call)) {
      case "POST search", "GET search" -> new VastaiSimSearch(market).answer(call);
      case "PUT create" -> create(call, number(ASK, path));
      case "GET show" -> show(Long.toString(number(INSTANCE, path)));
      case "DELETE destroy" -> destroy(Long.toString(number(INSTANCE, path)));
      case "POST attach" -> attach(call, Long.toString(number(KEYS, path)));
      case "GET list" -> list();
      case "GET charges" -> new VastaiSimCharges(market).answer(call);
      case "GET templates" -> SimAnswer.json(200, VastaiSimTemplate.all());
      default -> error(404, "not_found", "no such path");
    };
  }

  private static long number(Pattern pattern, String path) {
    Matcher matcher = pattern.matcher(path);
    return matcher.matches() ? Long.parseLong(matcher.group(1)) : -1;
  }

  @Override
  public SimAnswer unknownKey() {
    return error(401, "auth_error", "Invalid user key");
  }

  @Override
  public SimAnswer tooMany() {
    return SimAnswer.text(429, "API requests too frequent: endpoint threshold=0.3");
  }

  @Override
  public SimAnswer quotaUsedUp() {
    return error(400, "insufficient_credit", "Your account lacks credit; see the billing page.");
  }

  private static SimAnswer error(int status, String code, String message) {
    return SimAnswer.json(
        status, NODES.objectNode().put("success", false).put("error", code).put("msg", message));
  }

  static BigDecimal dollars(long micros) {
    return BigDecimal.valueOf(micros, 6);
  }

  private SimAnswer create(SimCall call, long ask) {
    JsonNode body = call.body();
    String label = body.path("label").asText("");
    long diskGb = body.path("disk").asLong(LEAST_DISK);
    String template = body.path("template_hash_id").asText("");
    if (!template.isEmpty() && VastaiSimTemplate.find(template).isEmpty()) {
      return error(404, "invalid_args", "error 404: no template with hash_id " + template);
    }
    if ((template.isEmpty() && !body.path("image").isTextual()) || !body.path("env").isObject()) {
      return error(400, "invalid_args", "error 400: image and env are needed");
    }
    boolean tooLong =
        body.path("onstart").asText("").length() + body.path("args_str").asText("").length()
            > COMMAND_MOST;
    if (diskGb < LEAST_DISK || label.length() > LABEL_MOST || tooLong) {
      return error(400, "invalid_args", "error 400: disk, label or onstart out of range");
    }
    Map<String, String> details = new HashMap<>();
    details.put(
        "image",
        body.path("image")
            .asText(VastaiSimTemplate.find(template).map(VastaiSimTemplate::image).orElse("")));
    details.put("env", body.path("env").toString());
    details.put("runtype", body.path("runtype").asText("ssh"));
    details.put("args", body.path("args_str").asText(""));
    details.put("template", template);
    String id = Long.toString(contracts.incrementAndGet());
    Optional<SimRental> made = market.rent(ask, id, label, diskGb, details, setup(body), 0);
    if (made.isEmpty()) {
      return offerGone(ask);
    }
    return SimAnswer.json(
        200, NODES.objectNode().put("success", true).put("new_contract", Long.parseLong(id)));
  }

  /** Ports are among the variables, as options of Docker. */
  private static SimSetup setup(JsonNode body) {
    List<Integer> ports =
        body.path("env")
            .propertyStream()
            .map(entry -> PORT.matcher(entry.getKey()))
            .filter(Matcher::matches)
            .map(matcher -> Integer.valueOf(matcher.group(1)))
            .toList();
    boolean shell = !body.path("runtype").asText("ssh").equals("args");
    return new SimSetup(shell, ports, body.path("onstart").asText(""));
  }

  /** Seen under three codes, with the same words. */
  private SimAnswer offerGone(long ask) {
    int status = GONE_CODES[Math.floorMod(gone.getAndIncrement(), GONE_CODES.length)];
    String message =
        "error " + status + "/3603: no_such_ask Instance type by id " + ask + " is not available.";
    ObjectNode body = NODES.objectNode().put("success", false).put("ask_id", ask);
    body.put("error", status == 410 ? "no_such_ask" : "invalid_args").put("msg", message);
    return SimAnswer.json(status, body);
  }

  /** One object under a plural key; what is gone is a null with a 200. */
  private SimAnswer show(String id) {
    ObjectNode answer = NODES.objectNode();
    Optional<SimRental> found = market.find(id);
    answer.set("instances", found.isPresent() ? instance(found.get()) : NODES.nullNode());
    return SimAnswer.json(200, answer);
  }

  private SimAnswer list() {
    ArrayNode all = NODES.arrayNode();
    market.listed().forEach(rental -> all.add(instance(rental)));
    ObjectNode answer = NODES.objectNode();
    answer.put("instances_found", all.size()).set("instances", all);
    return SimAnswer.json(200, answer);
  }

  private SimAnswer destroy(String id) {
    return market.destroy(id)
        ? SimAnswer.json(200, NODES.objectNode().put("success", true))
        : error(404, "no_such_instance", "Instance " + id + " not found.");
  }

  private SimAnswer attach(SimCall call, String id) {
    String key = call.body().path("ssh_key").asText("");
    if (!key.startsWith("ssh-") && !key.startsWith("ecdsa-")) {
      return error(400, "invalid_args", "ssh_key is not a public key");
    }
    return market.attach(id, key)
        ? SimAnswer.json(
            200,
            NODES.objectNode().put("success", true).put("msg", "SSH key attached successfully"))
        : error(404, "no_such_instance", "Instance " + id + " not found.");
  }

  private ObjectNode instance(SimRental rental) {
    String status = status(rental);
    ObjectNode instance =
        NODES
            .objectNode()
            .put("id", Long.parseLong(rental.id()))
            .put("label", rental.label())
            .put("machine_id", rental.offer().number() % 10_000)
            .put("actual_status", status.isEmpty() ? null : status)
            .put("intended_status", rental.stoppedAt().isPresent() ? "stopped" : "running")
            .put("cur_state", rental.stoppedAt().isPresent() ? "stopped" : "running")
            .put("status_msg", message(rental, status))
            .put("num_gpus", rental.gpus())
            .put("gpu_name", rental.offer().gpuName())
            .put("gpu_ram", rental.offer().gpuMemoryMb())
            .put("image_uuid", rental.details().get("image"))
            .put("template_hash_id", rental.details().get("template"))
            .put("image_runtype", rental.details().get("runtype"))
            .put("dph_total", dollars(rental.microsPerHour()))
            .put("start_date", rental.madeAt().toEpochMilli() / 1000.0)
            .put("is_bid", false);
    Optional<Integer> port = market.sshPort(rental.id());
    port.ifPresent(at -> instance.put("ssh_host", "127.0.0.1").put("ssh_port", at));
    if (status.equals("running")) {
      instance.put("public_ipaddr", "127.0.0.1");
      ObjectNode ports = instance.putObject("ports");
      port.ifPresent(at -> map(ports, 22, at));
      market.openPorts(rental.id()).forEach((inside, outside) -> map(ports, inside, outside));
    }
    return instance;
  }

  private static void map(ObjectNode ports, int inside, int outside) {
    ports
        .putArray(inside + "/tcp")
        .addObject()
        .put("HostIp", "0.0.0.0")
        .put("HostPort", Integer.toString(outside));
  }

  /** Empty is null on the wire: being set up. */
  private String status(SimRental rental) {
    Instant now = market.now();
    Duration age = Duration.between(rental.madeAt(), now);
    Duration created = market.rules().createdAfter();
    if (rental.endedAt().isPresent()) {
      return "exited";
    }
    if (rental.stoppedAt().isPresent()) {
      return "stopped";
    }
    if (rental.runs(now)) {
      return "running";
    }
    if (age.compareTo(created) < 0) {
      return "";
    }
    boolean loading =
        rental.fate() != SimFate.CANNOT_START && age.compareTo(created.multipliedBy(2)) >= 0;
    return loading ? "loading" : "created";
  }

  private static String message(SimRental rental, String status) {
    if (rental.fate() == SimFate.CANNOT_START && status.equals("created")) {
      return "Error: OCI runtime create failed: runc create failed";
    }
    return status.equals("running") ? "success, running" : "";
  }
}
