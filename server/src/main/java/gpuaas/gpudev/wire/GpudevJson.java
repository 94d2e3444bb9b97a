package gpuaas.gpudev.wire;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import gpuaas.http.Reply;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Map;

/** JSON as this dialect's clients read it: absent values are null, times have 0 or 6 digits. */
public final class GpudevJson {

  private static final DateTimeFormatter SECONDS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final DateTimeFormatter MICROS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private static final ObjectMapper MAPPER = JsonMapper.builder().build();

  /** Reads one value and nothing after it. */
  public static final ObjectMapper STRICT =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .build();

  private GpudevJson() {}

  public static Reply reply(int status, Map<String, ?> body) {
    return Reply.rawJson(status, write(body));
  }

  public static String write(Object body) {
    try {
      return MAPPER.writeValueAsString(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("cannot be written as JSON", e);
    }
  }

  /** A time of its own: {@code 2026-11-22T01:38:56.939119Z}. */
  public static String time(Instant at) {
    return digits(at) + "Z";
  }

  /** A time of a job or disk: {@code 2026-11-21T23:29:49.107782+00:00}. */
  public static String timeWithOffset(Instant at) {
    return digits(at) + "+00:00";
  }

  /** Other numbers of digits break the clients' parser. */
  private static String digits(Instant at) {
    Instant second = at.truncatedTo(ChronoUnit.SECONDS);
    return (at.truncatedTo(ChronoUnit.MICROS).equals(second) ? SECONDS : MICROS).format(at);
  }

  /** The day, in UTC. */
  public static String day(Instant at) {
    return LocalDate.ofInstant(at, ZoneOffset.UTC).toString();
  }

  /** Hours with a fraction: {@code 2.0}. */
  public static double hours(Duration time) {
    return Math.round(time.toMillis() / 36.0) / 100_000.0;
  }
}
