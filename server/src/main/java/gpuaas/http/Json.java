package gpuaas.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.exc.StreamReadException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;

/**
 * JSON on the wire: snake_case, times as RFC 3339, absent values left out where a record says so.
 */
public final class Json {

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .addModule(new Jdk8Module())
          .addModule(new JavaTimeModule())
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private static final JsonMapper CANONICAL =
      JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();

  private Json() {}

  /** A wire record as text. */
  public static String write(Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("cannot be written as JSON: " + value.getClass(), e);
    }
  }

  /** A body as a tree; refused as unreadable when it is no JSON. */
  public static JsonNode read(String body) {
    try {
      return MAPPER.readTree(body);
    } catch (JsonProcessingException e) {
      throw new Refused(new Refusal.Unreadable("the body is not valid JSON: " + why(e)));
    }
  }

  /**
   * The same text for the same JSON, however it was spaced and its members were ordered; what is no
   * JSON stays as it is.
   */
  public static String canonical(String body) {
    try {
      return CANONICAL.writeValueAsString(
          CANONICAL.treeToValue(MAPPER.readTree(body), Object.class));
    } catch (JsonProcessingException e) {
      return body;
    }
  }

  /** The library's words where they help, ours where it speaks of itself. */
  private static String why(JsonProcessingException e) {
    return switch (e) {
      case StreamConstraintsException _ -> "it is nested too deeply, or a value is too long";
      case StreamReadException _ -> firstLine(e.getOriginalMessage());
      default -> "there must be one value and nothing after it";
    };
  }

  private static String firstLine(String message) {
    String line = message.lines().findFirst().orElse("");
    return line.length() > 200 ? line.substring(0, 200) : line;
  }
}
