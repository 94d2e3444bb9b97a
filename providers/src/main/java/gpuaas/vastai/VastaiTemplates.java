package gpuaas.vastai;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.market.MarketHttp;
import gpuaas.market.MarketHttp.Answer;
import gpuaas.market.MarketHttp.Kind;
import gpuaas.spi.market.HasTemplates.Template;
import java.math.BigDecimal;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The templates that the market recommends, kept for a while. */
final class VastaiTemplates {

  private static final String PATH =
      "/template/?select_filters="
          + URLEncoder.encode("{\"recommended\":{\"eq\":true}}", StandardCharsets.UTF_8);
  private static final int MOST = 1000;
  private static final int TEXT_MOST = 16 * 1024;

  private final MarketHttp http;
  private final VastaiHosts hosts;
  private final InstantSource clock;
  private final Duration ageMost;
  private List<Template> templates = List.of();
  private Optional<Instant> seenAt = Optional.empty();

  VastaiTemplates(MarketHttp http, VastaiHosts hosts, InstantSource clock, Duration ageMost) {
    this.http = http;
    this.hosts = hosts;
    this.clock = clock;
    this.ageMost = ageMost;
  }

  /** All of them; a failure is passed on, and nothing is kept of it. */
  synchronized List<Template> all() {
    Instant now = clock.instant();
    if (seenAt.map(at -> !now.isBefore(at.plus(ageMost))).orElse(true)) {
      templates = fetch();
      seenAt = Optional.of(now);
    }
    return templates;
  }

  /** Whether the machine of an offer was seen. */
  boolean knows(String offer) {
    return hosts.find(offer).isPresent();
  }

  /** Those whose needs the machine of an offer meets; none for an offer that was not seen. */
  List<Template> forOffer(String offer) {
    Optional<JsonNode> host = hosts.find(offer);
    return host.isEmpty()
        ? List.of()
        : all().stream().filter(one -> VastaiNeeds.hold(one.needs(), host.get())).toList();
  }

  private List<Template> fetch() {
    Answer answer = http.call("GET", PATH, Optional.empty(), Kind.READ);
    List<Template> found = new ArrayList<>();
    for (JsonNode one : VastaiClient.needed(answer, "templates")) {
      boolean asked = one.path("recommended").asBoolean(true) && !text(one, "hash_id").isEmpty();
      if (asked && found.size() < MOST) {
        found.add(template(one));
      }
    }
    return List.copyOf(found);
  }

  private static Template template(JsonNode one) {
    JsonNode needs = one.path("extra_filters");
    return new Template(
        one.path("id").asLong(),
        text(one, "hash_id"),
        text(one, "name"),
        text(one, "image"),
        text(one, "tag"),
        text(one, "env"),
        text(one, "onstart"),
        text(one, "runtype"),
        text(one, "args_str"),
        one.path("use_ssh").asBoolean(),
        one.path("ssh_direct").asBoolean(),
        one.path("recommended").asBoolean(true),
        Math.max(0, one.path("recommended_disk_space").asInt()),
        needs.isObject() ? needs.toString() : text(one, "extra_filters"),
        one.path("creator_id").asLong(),
        madeAt(one.path("created_at")),
        Math.max(0, one.path("count_created").asLong()));
  }

  /** A text; an object is passed on as it is written. Nobody needs more than a little of it. */
  private static String text(JsonNode one, String field) {
    JsonNode said = one.path(field);
    String text = said.isObject() ? said.toString() : said.isNull() ? "" : said.asText("");
    return text.length() <= TEXT_MOST ? text : "";
  }

  /** Seconds since 1970, with a fraction. */
  private static Optional<Instant> madeAt(JsonNode said) {
    if (!said.isNumber() || said.asDouble() <= 0 || said.asDouble() > Integer.MAX_VALUE * 2.0) {
      return Optional.empty();
    }
    BigDecimal millis = said.decimalValue().movePointRight(3);
    return Optional.of(Instant.ofEpochMilli(millis.longValue()));
  }
}
