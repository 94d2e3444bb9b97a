package gpuaas.shopper;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.http.Json;
import java.util.ArrayList;
import java.util.List;

/**
 * A body read as a record of Go: what is missing or null is zero, another type is refused at once,
 * and broken rules are gathered, to be told together in the order in which they were looked at.
 */
final class GoFields {

  private static final int TEXT_LENGTH_MOST = 16 * 1024;

  private final String struct;
  private final JsonNode object;
  private final List<Refusal.FieldProblem> problems = new ArrayList<>();

  /**
   * @param struct the name of the record, for messages
   */
  GoFields(String struct, String body) {
    this.struct = struct;
    if (body.isBlank()) {
      throw new Refused(new Refusal.Unreadable("EOF"));
    }
    this.object = Json.read(body);
    if (!object.isObject()) {
      throw wrong("value", object, struct);
    }
  }

  String text(String name) {
    JsonNode value = object.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return "";
    }
    if (!value.isTextual()) {
      throw wrong(name, value, "string");
    }
    String text = value.textValue();
    if (text.length() > TEXT_LENGTH_MOST || !isText(text)) {
      problems.add(
          new Refusal.FieldProblem(name, "must be Unicode text of at most 16384 characters"));
      return "";
    }
    return text;
  }

  /** What can be kept: no zero characters, and no halves of characters. */
  static boolean isText(String text) {
    return text.indexOf('\0') < 0
        && java.nio.charset.StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  /** A text that must be there. */
  String requiredText(String name, int lengthMost) {
    String text = text(name);
    if (text.isEmpty()) {
      problem(name, "is required");
    } else if (text.length() > lengthMost) {
      problem(name, "must be at most " + lengthMost + " characters");
    }
    return text;
  }

  int integer(String name) {
    JsonNode value = object.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return 0;
    }
    if (!value.isIntegralNumber() || !value.canConvertToInt()) {
      throw wrong(name, value, "int");
    }
    return value.intValue();
  }

  /** A whole number that must be there; 0 is as good as none. */
  int requiredInteger(String name, int least, int most) {
    int value = integer(name);
    if (value == 0) {
      problem(name, "is required");
    } else if (value < least) {
      problem(name, "must be at least " + least);
    } else if (value > most) {
      problem(name, "must be at most " + most);
    }
    return value;
  }

  boolean flag(String name) {
    JsonNode value = object.path(name);
    if (value.isMissingNode() || value.isNull()) {
      return false;
    }
    if (!value.isBoolean()) {
      throw wrong(name, value, "bool");
    }
    return value.booleanValue();
  }

  List<Integer> integers(String name, int most) {
    JsonNode value = object.path(name);
    List<Integer> found = new ArrayList<>();
    if (value.isMissingNode() || value.isNull()) {
      return found;
    }
    if (!value.isArray()) {
      throw wrong(name, value, "[]int");
    }
    for (JsonNode each : value) {
      if (!each.isIntegralNumber() || !each.canConvertToInt()) {
        throw wrong(name, each, "int");
      }
      found.add(each.intValue());
    }
    if (found.size() > most) {
      problem(name, "must be at most " + most + " numbers");
    }
    return found;
  }

  void problem(String name, String problem) {
    problems.add(new Refusal.FieldProblem(name, problem));
  }

  /** Refuses when a rule was broken. */
  void check() {
    if (!problems.isEmpty()) {
      throw new Refused(new Refusal.Invalid(problems));
    }
  }

  private Refused wrong(String name, JsonNode value, String type) {
    String kind =
        switch (value.getNodeType()) {
          case STRING -> "string";
          case BOOLEAN -> "bool";
          case ARRAY -> "array";
          case OBJECT -> "object";
          default -> "number";
        };
    return new Refused(
        new Refusal.Unreadable(
            "json: cannot unmarshal "
                + kind
                + " into Go struct field "
                + struct
                + "."
                + name
                + " of type "
                + type));
  }
}
