package gpuaas.main;

import gpuaas.gpuaas.EventStreamRules;
import gpuaas.http.HttpServer;
import gpuaas.ledger.ReconciliationRules;
import gpuaas.observe.LogFormat;
import gpuaas.observe.ObserveSettings;
import gpuaas.observe.Tracing;
import gpuaas.policy.PolicyDefinition;
import gpuaas.policy.PolicyRules;
import gpuaas.queue.QueueRules;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Reads what the queue, policies, requests, streams, bills, logs, metrics and traces go by. */
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

  static EventStreamRules eventStreams(SettingsReader reader) {
    Duration heartbeat = reader.duration("events.stream-heartbeat", Duration.ofSeconds(15));
    if (heartbeat.compareTo(Duration.ofSeconds(25)) > 0) {
      throw new Settings.Wrong(
          "events.stream-heartbeat must be at most 25s: longer silence ends a stream");
    }
    return new EventStreamRules(
        heartbeat,
        reader.duration("events.stream-recheck-every", Duration.ofSeconds(30)),
        reader.integer("events.streams-most", 1000, 1, 1_000_000),
        reader.integer("events.streams-most-per-caller", 10, 1, 1_000_000));
  }

  static ReconciliationRules reconciliation(SettingsReader reader) {
    ReconciliationRules standard = ReconciliationRules.standard();
    return new ReconciliationRules(
        reader.duration("reconciliation.every", standard.every()),
        reader.integer("reconciliation.days-back", standard.daysBack(), 1, 366));
  }

  static ObserveSettings observe(SettingsReader reader) {
    return new ObserveSettings(
        logFormat(reader),
        reader.duration("metrics.count-every", Duration.ofSeconds(5)),
        new Tracing.Rules(
            reader.optional("otel.endpoint").map(RuleReader::collector),
            reader.duration("otel.export-every", Duration.ofSeconds(5))));
  }

  private static URI collector(String text) {
    try {
      URI endpoint = new URI(text);
      if (Set.of("http", "https").contains(String.valueOf(endpoint.getScheme()))
          && endpoint.getHost() != null
          && endpoint.getUserInfo() == null) {
        return endpoint;
      }
    } catch (URISyntaxException e) {
      // refused below
    }
    throw new Settings.Wrong(
        "otel.endpoint must be an address such as http://127.0.0.1:4318, without a password");
  }

  private static LogFormat logFormat(SettingsReader reader) {
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
