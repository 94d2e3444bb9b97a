package gpuaas.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.FieldProblem;
import gpuaas.base.Refused;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * A JSON object read field by field. Problems are collected, so that a caller hears of all of them
 * at once; {@link #check} refuses when there are any, and must be called before the values are
 * used.
 */
public final class Fields {

  private final JsonNode object;
  private final List<FieldProblem> problems = new ArrayList<>();

  private Fields(JsonNode object) {
    this.object = object;
  }

  /** The object in a body. */
  static Fields of(String body) {
    if (body.isBlank()) {
      throw new Refused(new Refusal.Unreadable("a JSON object is needed, and the body is empty"));
    }
    JsonNode node = Json.read(body);
    if (!node.isObject()) {
      throw new Refused(new Refusal.Unreadable("a JSON object is needed"));
    }
    return new Fields(node);
  }

  /** A text that must be there. */
  public String text(String name, int lengthMost) {
    JsonNode value = object.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return problem(name, "is required", "");
    }
    if (!value.isTextual()) {
      return problem(name, "must be a string", "");
    }
    String text = value.textValue();
    if (text.isBlank() || text.length() > lengthMost) {
      return problem(name, "must have 1 to " + lengthMost + " characters", "");
    }
    if (text.chars().anyMatch(c -> c < ' ' && c != '\n' && c != '\t')) {
      return problem(name, "must have no control characters", "");
    }
    if (!UTF_8.newEncoder().canEncode(text)) {
      return problem(name, "must be Unicode text, without half characters", "");
    }
    return text;
  }

  /** A text that may be missing or null. */
  public String optionalText(String name, int lengthMost, String fallback) {
    JsonNode value = object.path(name);
    return value.isMissingNode() || value.isNull() ? fallback : text(name, lengthMost);
  }

  /** A whole number that must be there: a JSON number without a fraction. */
  public int integer(String name, int least, int most) {
    JsonNode value = object.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return problem(name, "is required", least);
    }
    if (!value.isIntegralNumber()
        || !value.canConvertToInt()
        || value.intValue() < least
        || value.intValue() > most) {
      return problem(name, "must be a whole number from " + least + " to " + most, least);
    }
    return value.intValue();
  }

  /** A whole number that may be missing or null. */
  public Optional<Integer> maybeInteger(String name, int least, int most) {
    JsonNode value = object.path(name);
    return value.isMissingNode() || value.isNull()
        ? Optional.empty()
        : Optional.of(integer(name, least, most));
  }

  /** A list of texts, without doubles; missing or null is an empty list. */
  public List<String> optionalTexts(String name, int most, int lengthMost) {
    JsonNode value = object.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return List.of();
    }
    if (!value.isArray() || value.size() > most) {
      return problem(name, "must be a list of at most " + most + " strings", List.of());
    }
    List<String> texts = new ArrayList<>();
    for (JsonNode each : value) {
      String text = each.isTextual() ? each.textValue() : "";
      if (text.isBlank() || text.length() > lengthMost) {
        return problem(
            name, "must be a list of strings of 1 to " + lengthMost + " characters", List.of());
      }
      if (!texts.contains(text)) {
        texts.add(text);
      }
    }
    return texts;
  }

  /** A time as RFC 3339 with an offset; may be missing or null. */
  public Optional<Instant> optionalInstant(String name) {
    JsonNode value = object.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return Optional.empty();
    }
    try {
      return Optional.of(OffsetDateTime.parse(value.asText()).toInstant());
    } catch (DateTimeParseException e) {
      return problem(name, "must be a time such as 2026-01-31T12:00:00Z", Optional.empty());
    }
  }

  /** True when the object has it, even as null. */
  public boolean isGiven(String name) {
    return object.has(name);
  }

  /** A text that may be missing, null or empty, which are all the same. */
  public Optional<String> maybeText(String name, int lengthMost) {
    JsonNode value = object.path(name);
    boolean none =
        value.isMissingNode() || value.isNull() || (value.isTextual() && value.asText().isEmpty());
    return none ? Optional.empty() : Optional.of(text(name, lengthMost)).filter(t -> !t.isEmpty());
  }

  /** A number that may be missing or null: not negative, and at most so large. */
  public Optional<BigDecimal> maybeNumber(String name, BigDecimal most) {
    JsonNode value = object.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return Optional.empty();
    }
    // The length first: a number such as 1e999999999 is not worth looking at.
    if (!value.isNumber()
        || !Double.isFinite(value.doubleValue())
        || value.asText().length() > 40
        || value.decimalValue().signum() < 0
        || value.decimalValue().compareTo(most) > 0) {
      return problem(name, "must be a number from 0 to " + most, Optional.empty());
    }
    return Optional.of(value.decimalValue());
  }

  /** True or false, which must be there. */
  public boolean truth(String name) {
    JsonNode value = object.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return problem(name, "is required: true or false", false);
    }
    return value.isBoolean() ? value.booleanValue() : problem(name, "must be true or false", false);
  }

  /** One of some words that must be there. */
  public <T> T word(String name, Map<String, T> words) {
    JsonNode value = object.path(name);
    T known = value.isTextual() ? words.get(value.textValue()) : null;
    if (known == null) {
      String all = words.keySet().stream().sorted().collect(Collectors.joining(" or "));
      boolean missing = value.isMissingNode() || value.isNull();
      return problem(
          name,
          missing ? "is required: " + all : "must be " + all,
          words.values().iterator().next());
    }
    return known;
  }

  /** A list of ids, without doubles; missing or null is an empty list. */
  public List<UUID> ids(String name, int most) {
    JsonNode value = object.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return List.of();
    }
    if (!value.isArray() || value.size() > most) {
      return problem(name, "must be a list of at most " + most + " ids", List.of());
    }
    List<UUID> ids = new ArrayList<>();
    for (int i = 0; i < value.size(); i++) {
      try {
        UUID id = UUID.fromString(value.get(i).asText());
        if (!ids.contains(id)) {
          ids.add(id);
        }
      } catch (IllegalArgumentException e) {
        problem(name + "[" + i + "]", "is not an id", ids);
      }
    }
    return ids;
  }

  /** Adds a problem that only the caller can see. */
  public <T> T problem(String name, String problem, T instead) {
    problems.add(new FieldProblem(name, problem));
    return instead;
  }

  /** Refuses when there was any problem. */
  public void check() {
    if (!problems.isEmpty()) {
      throw new Refused(new Refusal.Invalid(problems));
    }
  }
}
