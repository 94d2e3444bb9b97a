package gpuaas.vastai;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.market.MarketHttp;
import gpuaas.market.MarketHttp.Answer;
import gpuaas.market.MarketHttp.Kind;
import gpuaas.spi.ProviderException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * All machines of the account, in both forms of the list: at once, and by pages for where that is
 * not known. A list is whole or none.
 */
final class VastaiList {

  private static final String WHOLE = "/instances/";
  private static final String PAGED = "/../v1/instances/?limit=25";
  private static final int PAGES_MOST = 400;

  private final MarketHttp http;
  private volatile boolean paged;

  VastaiList(MarketHttp http) {
    this.http = http;
  }

  /** The machines as the market tells them. */
  List<JsonNode> all() {
    List<JsonNode> all = new ArrayList<>();
    if (!paged) {
      Answer answer = http.call("GET", WHOLE, Optional.empty(), Kind.READ);
      boolean unknown = List.of(404, 405, 410).contains(answer.status());
      if (!unknown || VastaiClient.isAboutTheKey(answer)) {
        VastaiClient.needed(answer, "instances").forEach(all::add);
        if (next(answer).isEmpty()) {
          return all;
        }
        all.clear(); // it has pages, whatever it is called
      }
    }
    Optional<String> token = Optional.empty();
    for (int page = 0; page < PAGES_MOST; page++) {
      String more =
          token
              .map(text -> "&after_token=" + URLEncoder.encode(text, StandardCharsets.UTF_8))
              .orElse("");
      Answer answer = http.call("GET", PAGED + more, Optional.empty(), Kind.READ);
      VastaiClient.needed(answer, "instances").forEach(all::add);
      paged = true;
      Optional<String> next = next(answer);
      if (next.isEmpty() || next.equals(token)) {
        return all;
      }
      token = next;
    }
    throw new ProviderException.Unavailable("the list has no end", null);
  }

  private static Optional<String> next(Answer answer) {
    return Optional.of(answer.json().path("next_token"))
        .filter(JsonNode::isTextual)
        .map(JsonNode::asText)
        .filter(text -> !text.isEmpty());
  }
}
