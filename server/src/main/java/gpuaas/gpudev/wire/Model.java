package gpuaas.gpudev.wire;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import gpuaas.http.Halt;
import gpuaas.http.Request;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A body read by the rules of the original's framework: everything that is wrong is told at once,
 * in the order in which the fields were asked for, in its words (contract 2.2). What is not asked
 * for is ignored.
 */
public final class Model {

  private static final int ECHO_LENGTH_MOST = 200;
  private static final int NUMBER_LENGTH_MOST = 40;

  private final JsonNode object;
  private final Set<String> secrets;
  private final List<Map<String, Object>> problems = new ArrayList<>();

  private Model(JsonNode object, Set<String> secrets) {
    this.object = object;
    this.secrets = secrets;
  }

  /** Reads the body of a request; refuses at once what is no object. */
  public static Model of(Request request) {
    return of(request, Set.of());
  }

  /**
   * The same.
   *
   * @param secrets fields whose values are never sent back
   */
  public static Model of(Request request, Set<String> secrets) {
    if (!isJson(request)) {
      throw refused(
          problem(
              "model_attributes_type",
              List.of("body"),
              "Input should be a valid dictionary or object to extract fields from",
              secrets.isEmpty() ? clipped(request.body()) : "***"));
    }
    JsonNode body = parsed(request).orElse(NullNode.getInstance());
    if (body.isNull()) {
      throw refused(problem("missing", List.of("body"), "Field required", null));
    }
    if (!body.isObject()) {
      throw refused(
          problem(
              "model_attributes_type",
              List.of("body"),
              "Input should be a valid dictionary or object to extract fields from",
              secrets.isEmpty() ? body : "***"));
    }
    return new Model(body, secrets);
  }

  /** Refuses what is said to be JSON and is not: that is told even to callers without a key. */
  public static void refuseBrokenJson(Request request) {
    if (isJson(request)) {
      var _ = parsed(request);
    }
  }

  private static boolean isJson(Request request) {
    String type = request.header("content-type").orElse("application/json");
    String bare = type.split(";", 2)[0].strip().toLowerCase(java.util.Locale.ROOT);
    return bare.equals("application/json")
        || (bare.startsWith("application/") && bare.endsWith("+json"));
  }

  /** Empty when there is no body. */
  private static Optional<JsonNode> parsed(Request request) {
    if (request.body().isEmpty()) {
      return Optional.empty();
    }
    try {
      JsonNode tree = GpudevJson.STRICT.readTree(request.body());
      if (tree.isMissingNode()) {
        throw broken(request.body().length(), "Expecting value");
      }
      return Optional.of(tree);
    } catch (JsonProcessingException e) {
      long at = e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getCharOffset());
      throw broken(Math.min(at, request.body().length()), "Expecting value");
    }
  }

  private static Halt broken(long at, String why) {
    Map<String, Object> problem =
        problem(
            "json_invalid",
            List.of("body", at),
            "JSON decode error",
            JsonNodeFactory.instance.objectNode());
    problem.put("ctx", Map.of("error", why));
    return refused(problem);
  }

  // --- fields ---

  public Optional<String> requiredText(String name) {
    return requiredText(name, 0, Integer.MAX_VALUE);
  }

  public Optional<String> requiredText(String name, int least, int most) {
    if (!object.has(name)) {
      missing(name);
      return Optional.empty();
    }
    return text(name, object.get(name), least, most);
  }

  public Optional<String> text(String name) {
    return text(name, 0, Integer.MAX_VALUE);
  }

  public Optional<String> text(String name, int least, int most) {
    JsonNode value = object.path(name);
    return isAbsent(value) ? Optional.empty() : text(name, value, least, most);
  }

  private Optional<String> text(String name, JsonNode value, int least, int most) {
    if (!value.isTextual()) {
      wrong(name, "string_type", "Input should be a valid string", value, Map.of());
      return Optional.empty();
    }
    String text = value.textValue();
    int length = text.codePointCount(0, text.length());
    if (length < least) {
      wrong(
          name,
          "string_too_short",
          "String should have at least " + characters(least),
          value,
          Map.of("min_length", least));
      return Optional.empty();
    }
    if (length > most) {
      wrong(
          name,
          "string_too_long",
          "String should have at most " + characters(most),
          value,
          Map.of("max_length", most));
      return Optional.empty();
    }
    return Optional.of(text);
  }

  private static String characters(int count) {
    return count + (count == 1 ? " character" : " characters");
  }

  public Optional<Boolean> flag(String name) {
    JsonNode value = object.path(name);
    if (isAbsent(value)) {
      return Optional.empty();
    }
    if (!value.isBoolean()) {
      wrong(name, "bool_type", "Input should be a valid boolean", value, Map.of());
      return Optional.empty();
    }
    return Optional.of(value.booleanValue());
  }

  public Optional<Integer> requiredInteger(String name, int least, int most) {
    if (!object.has(name)) {
      missing(name);
      return Optional.empty();
    }
    return integer(name, object.get(name), least, most);
  }

  public Optional<Integer> integer(String name, int least, int most) {
    JsonNode value = object.path(name);
    return isAbsent(value) ? Optional.empty() : integer(name, value, least, most);
  }

  private Optional<Integer> integer(String name, JsonNode value, int least, int most) {
    Optional<BigDecimal> number = number(name, value);
    if (number.isEmpty()) {
      return Optional.empty();
    }
    if (number.get().stripTrailingZeros().scale() > 0) {
      wrong(
          name,
          value.isTextual() ? "int_parsing" : "int_from_float",
          value.isTextual()
              ? "Input should be a valid integer, unable to parse string as an integer"
              : "Input should be a valid integer, got a number with a fractional part",
          value,
          Map.of());
      return Optional.empty();
    }
    return within(name, number.get(), value, least, most).map(BigDecimal::intValueExact);
  }

  /** A number that need not be whole. A value that must not be null is wrong when it is. */
  public Optional<BigDecimal> decimal(String name, BigDecimal leastFraction, int least, int most) {
    JsonNode value = object.path(name);
    if (value.isMissingNode()) {
      return Optional.empty();
    }
    Optional<BigDecimal> number = number(name, value);
    boolean fraction = number.filter(n -> n.stripTrailingZeros().scale() > 0).isPresent();
    if (fraction && number.get().compareTo(leastFraction) >= 0 && number.get().signum() > 0) {
      return within(name, number.get(), value, 0, most);
    }
    return number.flatMap(n -> within(name, n, value, least, most));
  }

  private Optional<BigDecimal> number(String name, JsonNode value) {
    if (value.isBoolean()) {
      return Optional.of(value.booleanValue() ? BigDecimal.ONE : BigDecimal.ZERO);
    }
    if (value.isNumber()) {
      BigDecimal number = value.decimalValue();
      // Zeros by the billion are not written out.
      return Optional.of(
          Math.abs((long) number.scale()) > NUMBER_LENGTH_MOST
              ? BigDecimal.valueOf(number.signum()).scaleByPowerOfTen(NUMBER_LENGTH_MOST)
              : number);
    }
    String text = value.isTextual() ? value.textValue().strip() : "";
    if (value.isTextual() && text.matches("[+-]?[0-9]{1,30}(\\.[0-9]{0,30})?")) {
      return Optional.of(new BigDecimal(text));
    }
    if (value.isTextual()) {
      wrong(
          name,
          "int_parsing",
          "Input should be a valid integer, unable to parse string as an integer",
          value,
          Map.of());
    } else {
      wrong(name, "int_type", "Input should be a valid integer", value, Map.of());
    }
    return Optional.empty();
  }

  private Optional<BigDecimal> within(
      String name, BigDecimal number, JsonNode value, int least, int most) {
    if (number.compareTo(BigDecimal.valueOf(least)) < 0) {
      wrong(
          name,
          "greater_than_equal",
          "Input should be greater than or equal to " + least,
          value,
          Map.of("ge", least));
      return Optional.empty();
    }
    if (number.compareTo(BigDecimal.valueOf(most)) > 0) {
      wrong(
          name,
          "less_than_equal",
          "Input should be less than or equal to " + most,
          value,
          Map.of("le", most));
      return Optional.empty();
    }
    return Optional.of(number);
  }

  /** The members of an object, in their order. */
  public Map<String, JsonNode> dictionary(String name) {
    JsonNode value = object.path(name);
    Map<String, JsonNode> members = new LinkedHashMap<>();
    if (isAbsent(value)) {
      return members;
    }
    if (!value.isObject()) {
      wrong(name, "dict_type", "Input should be a valid dictionary", value, Map.of());
      return members;
    }
    value.properties().forEach(member -> members.put(member.getKey(), member.getValue()));
    return members;
  }

  /** Refuses with all that was found. */
  public void check() {
    if (!problems.isEmpty()) {
      throw new Halt(GpudevErrors.invalid(problems));
    }
  }

  private static boolean isAbsent(JsonNode value) {
    return value.isMissingNode() || value.isNull();
  }

  private void missing(String name) {
    problems.add(
        problem(
            "missing",
            List.of("body", name),
            "Field required",
            secrets.isEmpty() ? object : masked(object)));
  }

  private JsonNode masked(JsonNode whole) {
    var copy = JsonNodeFactory.instance.objectNode();
    whole
        .properties()
        .forEach(member -> {
          if (secrets.contains(member.getKey())) {
            copy.put(member.getKey(), "***");
          }
        });
    return copy;
  }

  private void wrong(
      String name, String type, String message, JsonNode input, Map<String, Object> context) {
    Map<String, Object> problem =
        problem(type, List.of("body", name), message, secrets.contains(name) ? "***" : clip(input));
    if (!context.isEmpty()) {
      problem.put("ctx", context);
    }
    problems.add(problem);
  }

  private static Object clip(JsonNode input) {
    return input.isTextual() ? clipped(input.textValue()) : input;
  }

  private static String clipped(String text) {
    return text.length() > ECHO_LENGTH_MOST ? text.substring(0, ECHO_LENGTH_MOST) + "…" : text;
  }

  public static Map<String, Object> problem(
      String type,
      List<Object> where,
      String message,
      @org.jspecify.annotations.Nullable Object input) {
    Map<String, Object> problem = new LinkedHashMap<>();
    problem.put("type", type);
    problem.put("loc", where);
    problem.put("msg", message);
    problem.put("input", input);
    return problem;
  }

  private static Halt refused(Map<String, Object> problem) {
    return new Halt(GpudevErrors.invalid(List.of(problem)));
  }
}
