package gpuaas.main;

import gpuaas.http.HttpServer;
import gpuaas.observe.LogFormat;
import gpuaas.policy.PolicyDefinition;
import gpuaas.policy.PolicyRules;
import gpuaas.queue.QueueRules;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Reads what the queue goes by, policies, limits of requests, and the form of logs. */
final class RuleReader {

  private RuleReader() {}

  static QueueRules queue(SettingsReader reader) {
    QueueRules standard = QueueRules.standard();
    return new QueueRules(
        reader.duration("gang.wait", standard.gangWait()),
        reader.integer("gang.members-most", standard.gangMost(), 1, 1000),
        reader.integer("gang.port", standard.gangPort(), 1, 65_535),
        reader.duration("queue.backfill-margin", standard.backfillMargin()),
        reader.integer("queue.backfill-most", standard.backfillMost(), 0, 10_000),
        reader.duration("queue.look-every", standard.lookEvery()));
  }

  /** The default of each policy is a setting of the same name, written as settings are. */
  static PolicyRules policies(SettingsReader reader) {
    Map<PolicyDefinition, Long> defaults =
        Arrays.stream(PolicyDefinition.values())
            .collect(
                Collectors.toMap(Function.identity(), definition -> standard(reader, definition)));
    return new PolicyRules(defaults, reader.duration("policy.read-every", Duration.ofSeconds(5)));
  }

  static LogFormat logFormat(SettingsReader reader) {
    return switch (reader.text("log.format", LogFormat.TEXT.text())) {
      case "text" -> LogFormat.TEXT;
      case "json" -> LogFormat.JSON;
      default -> throw new Settings.Wrong("log.format must be text or json");
    };
  }

  static HttpServer.Limits requestLimits(SettingsReader reader) {
    return new HttpServer.Limits(
        reader.integer("api.body-bytes-most", 1024 * 1024, 1024, 1 << 30),
        reader.duration("api.receive-limit", Duration.ofMinutes(1)));
  }

  private static long standard(SettingsReader reader, PolicyDefinition definition) {
    return reader.integer(
        definition.key().replace('_', '-'),
        Math.toIntExact(definition.standard()),
        Math.toIntExact(definition.lowest()),
        Math.toIntExact(definition.highest()));
  }
}
