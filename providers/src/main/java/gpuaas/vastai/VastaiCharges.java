package gpuaas.vastai;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.market.MarketHttp;
import gpuaas.market.MarketHttp.Answer;
import gpuaas.market.MarketHttp.Kind;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.Money;
import gpuaas.spi.ProviderException;
import gpuaas.spi.market.HasCharges.Charge;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the market has charged, machine by machine. It books by days that begin at 00:00 UTC. */
final class VastaiCharges {

  private static final Pattern SOURCE = Pattern.compile("instance-([0-9]{1,18})");
  private static final int PAGE = 100;
  private static final int PAGES_MOST = 200;

  private final MarketHttp http;
  private final String provider;

  VastaiCharges(MarketHttp http, String provider) {
    this.http = http;
    this.provider = provider;
  }

  /** The charges of all days that are at least partly between; each machine once. */
  List<Charge> between(Instant from, Instant until) {
    if (!from.isBefore(until)) {
      return List.of();
    }
    Map<String, BigDecimal> byMachine = new LinkedHashMap<>();
    String path = path(from, until);
    Optional<String> token = Optional.empty();
    for (int page = 0; page < PAGES_MOST; page++) {
      String more = token.map(one -> "&after_token=" + encoded(one)).orElse("");
      Answer answer = http.call("GET", path + more, Optional.empty(), Kind.READ);
      VastaiClient.needed(answer, "results").forEach(row -> add(row, byMachine));
      Optional<String> next =
          Optional.of(answer.json().path("next_token"))
              .filter(JsonNode::isTextual)
              .map(JsonNode::asText)
              .filter(text -> !text.isEmpty());
      if (next.isEmpty() || next.equals(token)) {
        return charges(byMachine);
      }
      token = next;
    }
    throw new ProviderException.Unavailable("the bill has no end", null);
  }

  private static String path(Instant from, Instant until) {
    ObjectNode filter = JsonNodeFactory.instance.objectNode();
    filter
        .putObject("day")
        .put("gte", from.truncatedTo(ChronoUnit.DAYS).getEpochSecond())
        .put("lte", until.minusNanos(1).getEpochSecond());
    filter.putObject("type").putArray("in").add("instance");
    return "/charges/?limit=" + PAGE + "&select_filters=" + encoded(filter.toString());
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  private static void add(JsonNode row, Map<String, BigDecimal> byMachine) {
    Matcher source = SOURCE.matcher(row.path("source").asText(""));
    JsonNode amount = row.path("amount");
    if (!source.matches()) {
      return; // of something else than a machine
    }
    if (!amount.isNumber()) {
      throw new ProviderException.Unavailable("a bill without an amount", null);
    }
    byMachine.merge(source.group(1), amount.decimalValue(), BigDecimal::add);
  }

  private List<Charge> charges(Map<String, BigDecimal> byMachine) {
    List<Charge> charges = new ArrayList<>();
    byMachine.forEach((machine, dollars) ->
        charges.add(
            new Charge(
                new InstanceRef(provider, machine),
                new Money(
                    dollars.movePointRight(6).setScale(0, RoundingMode.HALF_UP).longValueExact(),
                    "USD"))));
    return List.copyOf(charges);
  }
}
