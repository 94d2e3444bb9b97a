package gpuaas.shopper;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.CharacterEscapes;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import gpuaas.http.Reply;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON as this dialect's clients know it: times with as many decimals as they need, amounts as
 * plain decimals, the signs of HTML escaped, and what is empty left out.
 */
final class ShopperJson {

  private static final DateTimeFormatter TIME =
      new DateTimeFormatterBuilder()
          .appendPattern("uuuu-MM-dd'T'HH:mm:ss")
          .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
          .appendLiteral('Z')
          .toFormatter()
          .withZone(ZoneOffset.UTC);

  /** What is said for a time that there is none of. */
  static final String NO_TIME = "0001-01-01T00:00:00Z";

  private static final JsonMapper MAPPER = mapper();

  private ShopperJson() {}

  private static JsonMapper mapper() {
    SimpleModule module = new SimpleModule();
    module.addSerializer(
        Instant.class,
        new JsonSerializer<>() {
          @Override
          public void serialize(Instant at, JsonGenerator out, SerializerProvider provider)
              throws IOException {
            out.writeString(time(at));
          }
        });
    module.addSerializer(
        BigDecimal.class,
        new JsonSerializer<>() {
          @Override
          public void serialize(BigDecimal number, JsonGenerator out, SerializerProvider provider)
              throws IOException {
            out.writeNumber(plain(number));
          }
        });
    JsonMapper mapper =
        JsonMapper.builder()
            .addModule(new Jdk8Module())
            .addModule(module)
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .defaultPropertyInclusion(
                JsonInclude.Value.construct(
                    JsonInclude.Include.NON_ABSENT, JsonInclude.Include.ALWAYS))
            .build();
    mapper.getFactory().setCharacterEscapes(new HtmlEscapes());
    return mapper;
  }

  /** A time in UTC, without zeros at its end. */
  static String time(Instant at) {
    return TIME.format(at);
  }

  /** An amount of money without zeros at its end. */
  static BigDecimal dollars(long micros) {
    return plain(BigDecimal.valueOf(micros, 6));
  }

  private static BigDecimal plain(BigDecimal number) {
    BigDecimal stripped = number.stripTrailingZeros();
    return stripped.scale() < 0 ? stripped.setScale(0) : stripped;
  }

  /** An answer. */
  static Reply reply(int status, Object value) {
    try {
      return new Reply(
          status, Map.of(), "application/json; charset=utf-8", MAPPER.writeValueAsString(value));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("cannot be written as JSON: " + value.getClass(), e);
    }
  }

  /** {@code <}, {@code >} and {@code &} never stand in a page as they are. */
  private static final class HtmlEscapes extends CharacterEscapes {
    private static final long serialVersionUID = 1;
    private final int[] ascii = standardAsciiEscapesForJSON();

    HtmlEscapes() {
      for (char sign : new char[] {'<', '>', '&'}) {
        ascii[sign] = ESCAPE_CUSTOM;
      }
    }

    @Override
    public int[] getEscapeCodesForAscii() {
      return ascii.clone();
    }

    @Override
    public @Nullable SerializableString getEscapeSequence(int sign) {
      return switch (sign) {
        case '<' -> new SerializedString("\\u003c");
        case '>' -> new SerializedString("\\u003e");
        case '&' -> new SerializedString("\\u0026");
        case 0x2028 -> new SerializedString("\\u2028");
        case 0x2029 -> new SerializedString("\\u2029");
        default -> null;
      };
    }
  }
}
