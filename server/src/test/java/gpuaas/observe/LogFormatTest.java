package gpuaas.observe;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** S3: nobody forges a line, in either form, and lines have a length. */
@DisplayName("S3: log lines")
class LogFormatTest {

  private static final String FORGED =
      "bad\r\n2026-01-01T00:00:00.000Z ERROR g.Main all is lost\u001b[2J\u2028\u0085end";

  private static String line(LogFormat format, String message, Throwable thrown) {
    LoggerContext context = new LoggerContext();
    format.configure(context);
    Logger logger = context.getLogger("gpuaas.Test");
    LoggingEvent event = new LoggingEvent("", logger, Level.WARN, message, thrown, new Object[] {});
    event.setMDCPropertyMap(Map.of("correlation_id", "trace-1", "org_id", "tenant-1"));
    ConsoleAppender<ILoggingEvent> out =
        (ConsoleAppender<ILoggingEvent>)
            context.getLogger(Logger.ROOT_LOGGER_NAME).getAppender("out");
    return new String(out.getEncoder().encode(event), UTF_8);
  }

  @Test
  void textIsOneLineForAMessage() {
    String line = line(LogFormat.TEXT, FORGED, null);
    assertThat(line).endsWith("end" + System.lineSeparator()).contains("trace-1", "all is lost");
    assertThat(line.stripTrailing())
        .doesNotContain("\n")
        .doesNotContain("\r")
        .doesNotContain("\u001b")
        .doesNotContain("\u2028")
        .doesNotContain("\u0085");
  }

  @Test
  void whatFollowsOfAnExceptionIsMarked() {
    String text = line(LogFormat.TEXT, "it failed", new IllegalStateException(FORGED));
    String[] lines = text.split("\n");
    assertThat(lines[0]).endsWith("it failed");
    assertThat(lines[1]).startsWith("java.lang.IllegalStateException: bad");
    assertThat(lines).hasSizeGreaterThan(3);
    for (int i = 2; i < lines.length; i++) {
      assertThat(lines[i]).startsWith("| ");
    }
    assertThat(text).doesNotContain("\r").doesNotContain("\u001b").contains("| \tat ");
  }

  @Test
  void jsonIsOneObjectALine() throws Exception {
    String line = line(LogFormat.JSON, FORGED, new IllegalStateException(FORGED));
    assertThat(line.strip()).doesNotContain("\n").doesNotContain("\r").doesNotContain("\u001b");
    JsonNode json = new ObjectMapper().readTree(line);
    assertThat(json.path("message").asText()).isEqualTo(FORGED);
    assertThat(json.path("level").asText()).isEqualTo("WARN");
    assertThat(json.path("service").asText()).isEqualTo("gpuaas-api");
    assertThat(json.path("correlation_id").asText()).isEqualTo("trace-1");
    assertThat(json.path("org_id").asText()).isEqualTo("tenant-1");
    assertThat(json.path("logger").asText()).isEqualTo("gpuaas.Test");
    assertThat(json.path("timestamp").asText()).endsWith("Z");
    assertThat(json.path("exception").asText()).contains("IllegalStateException").contains("\tat ");
    assertThat(json.has("error_code")).as("nothing is there that is not known").isFalse();
  }

  @Test
  void linesHaveALength() {
    for (LogFormat format : LogFormat.values()) {
      String line =
          line(format, "x".repeat(1_000_000), new IllegalStateException("y".repeat(1_000_000)));
      assertThat(line.length()).as(format.text()).isLessThan(30_000);
    }
  }
}
