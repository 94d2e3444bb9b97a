package gpuaas.vastai;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.market.MarketHttp;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;

/**
 * What a template needs of its machine: a filter such as {@code {"cuda_max_good":{"gte":12.4}}},
 * against what the market tells of the machine. What it does not tell is not held against it.
 */
final class VastaiNeeds {

  private VastaiNeeds() {}

  /** Whether a machine has what is needed; never for a filter that is not understood. */
  static boolean hold(String filter, JsonNode host) {
    if (filter.isBlank()) {
      return true;
    }
    return parse(filter)
        .filter(needs -> needs.properties().stream().allMatch(need -> holds(need, host)))
        .isPresent();
  }

  private static Optional<JsonNode> parse(String filter) {
    try {
      JsonNode needs = MarketHttp.JSON.readTree(filter);
      boolean understood = needs.isObject() || needs.isNull();
      return understood ? Optional.of(needs) : Optional.empty();
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  private static boolean holds(Map.Entry<String, JsonNode> need, JsonNode host) {
    JsonNode said = host.path(need.getKey());
    if (said.isMissingNode() || said.isNull()) {
      return true;
    }
    JsonNode wanted = need.getValue();
    return wanted.isObject()
        ? wanted.properties().stream().allMatch(one -> compares(said, one.getKey(), one.getValue()))
        : equal(said, wanted);
  }

  private static boolean compares(JsonNode said, String operator, JsonNode wanted) {
    return switch (operator) {
      case "eq" -> equal(said, wanted);
      case "neq" -> !equal(said, wanted);
      case "gt" -> order(said, wanted).filter(order -> order > 0).isPresent();
      case "gte" -> order(said, wanted).filter(order -> order >= 0).isPresent();
      case "lt" -> order(said, wanted).filter(order -> order < 0).isPresent();
      case "lte" -> order(said, wanted).filter(order -> order <= 0).isPresent();
      case "in" -> isIn(said, wanted);
      case "notin" -> !isIn(said, wanted);
      default -> false;
    };
  }

  private static boolean isIn(JsonNode said, JsonNode wanted) {
    return wanted.isArray()
        && StreamSupport.stream(wanted.spliterator(), false).anyMatch(one -> equal(said, one));
  }

  /** Numbers by their value, texts by their letters; a number and a text are never the same. */
  private static boolean equal(JsonNode one, JsonNode other) {
    if (one.isBoolean() && other.isBoolean()) {
      return one.asBoolean() == other.asBoolean();
    }
    return order(one, other).filter(order -> order == 0).isPresent();
  }

  private static Optional<Integer> order(JsonNode one, JsonNode other) {
    if (one.isNumber() && other.isNumber()) {
      return Optional.of(one.decimalValue().compareTo(other.decimalValue()));
    }
    return one.isTextual() && other.isTextual()
        ? Optional.of(one.asText().compareTo(other.asText()))
        : Optional.empty();
  }
}
