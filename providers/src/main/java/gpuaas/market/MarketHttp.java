package gpuaas.market;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import gpuaas.spi.ProviderException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Calls to one market: paced, bounded in time and size, never redirected, and with the key in a
 * header only. What every market does alike when it fails is decided here; the rest is an answer.
 */
public final class MarketHttp implements AutoCloseable {

  /** Reads and writes the JSON of markets; prices are decimal numbers, never binary ones. */
  public static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

  private static final Pattern THRESHOLD = Pattern.compile("threshold=([0-9]{1,4}(?:\\.[0-9]+)?)");
  private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);
  private static final int MOST_DOUBLINGS = 5;
  private static final int QUOTED_MOST = 300;

  private final HttpClient client;
  private final Rules rules;
  private final Pace pace;
  private final AtomicInteger refusedInARow = new AtomicInteger();

  /**
   * How to call.
   *
   * @param base without a slash at its end
   * @param apiKey a secret
   * @param answerLimit from the first byte sent to the last one received
   * @param bytesMost the longest answer that is read
   */
  public record Rules(
      URI base,
      String apiKey,
      double callsPerSecond,
      int burst,
      Duration connectLimit,
      Duration answerLimit,
      int bytesMost) {
    @Override
    public String toString() {
      return "Rules[" + base + "]"; // never the secret
    }
  }

  /** Whether a call that was lost on the way may have changed something. */
  public enum Kind {
    /** It changes nothing: lost is the same as not made. */
    READ,
    /** It may have been carried out. */
    WRITE
  }

  /**
   * What the market said: any status but those that mean the same everywhere.
   *
   * @param json missing when it is none
   */
  public record Answer(int status, String text, JsonNode json) {
    /** Whether it is said to have worked. */
    public boolean isOk() {
      return status / 100 == 2;
    }
  }

  public MarketHttp(Rules rules) {
    this.rules = rules;
    this.pace = new Pace(rules.callsPerSecond(), rules.burst(), rules.answerLimit());
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(rules.connectLimit())
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  /**
   * Makes a call.
   *
   * @throws ProviderException.Unavailable when surely nothing happened
   * @throws ProviderException.OutcomeUnknown when a write may have been carried out
   * @throws ProviderException.RateLimited when the market wants fewer calls
   * @throws ProviderException.BadCredentials when it does not know the key
   */
  public Answer call(String method, String path, Optional<JsonNode> body, Kind kind) {
    pace.await();
    HttpResponse<byte[]> response =
        exchange(request(method, path, body), method + " " + path, kind);
    String text = new String(response.body(), StandardCharsets.UTF_8);
    int status = response.statusCode();
    if (status == 429) {
      throw refused(response, text);
    }
    refusedInARow.set(0);
    if (status == 401) {
      throw new ProviderException.BadCredentials(quote(text));
    }
    if (status / 100 == 5) {
      throw lost(kind, method + " " + path + " answered " + status + ": " + quote(text), null);
    }
    Optional<JsonNode> json = parse(text);
    // An end needs no words; of everything else, none is half an answer.
    boolean wordless = text.isBlank() && (status == 204 || method.equals("DELETE"));
    if (status / 100 == 2 && json.isEmpty() && !wordless) {
      throw lost(kind, method + " " + path + " answered with half a document, or none", null);
    }
    return new Answer(status, quote(text), json.orElse(MissingNode.getInstance()));
  }

  private HttpRequest request(String method, String path, Optional<JsonNode> body) {
    return HttpRequest.newBuilder(URI.create(rules.base() + path).normalize())
        .header("Authorization", "Bearer " + rules.apiKey())
        .header("Accept", "application/json")
        .header("Content-Type", "application/json")
        .method(
            method,
            body.map(json -> BodyPublishers.ofString(json.toString()))
                .orElse(BodyPublishers.noBody()))
        .build();
  }

  private HttpResponse<byte[]> exchange(HttpRequest request, String what, Kind kind) {
    CompletableFuture<HttpResponse<byte[]>> answer =
        client.sendAsync(
            request, BodyHandlers.limiting(BodyHandlers.ofByteArray(), rules.bytesMost()));
    try {
      // The client's own limit ends with the headers; this one is for all of the answer.
      return answer.get(rules.answerLimit().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      answer.cancel(true);
      throw lost(kind, what + ": no answer within " + rules.answerLimit(), null);
    } catch (InterruptedException e) {
      answer.cancel(true);
      Thread.currentThread().interrupt();
      throw lost(kind, what + ": interrupted while waiting for the answer", null);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof ConnectException || cause instanceof HttpConnectTimeoutException) {
        throw new ProviderException.Unavailable(what + ": no connection", cause);
      }
      throw lost(kind, what + ": the answer was lost", cause);
    }
  }

  /** What to throw when a call was made and it is not known what came of it. */
  public static ProviderException lost(Kind kind, String message, @Nullable Throwable cause) {
    return switch (kind) {
      case READ -> new ProviderException.Unavailable(message, cause);
      case WRITE -> new ProviderException.OutcomeUnknown(message, cause);
    };
  }

  private ProviderException refused(HttpResponse<byte[]> response, String text) {
    int times = refusedInARow.getAndIncrement();
    Duration wait =
        header(response, "Retry-After")
            .or(() -> header(response, "RateLimit-Reset"))
            .or(() -> threshold(text))
            .orElse(Duration.ofSeconds(1L << Math.min(times, MOST_DOUBLINGS)));
    Duration bounded = wait.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : wait;
    pace.stayAway(bounded);
    return new ProviderException.RateLimited(quote(text), bounded);
  }

  private static Optional<Duration> header(HttpResponse<byte[]> response, String name) {
    return response
        .headers()
        .firstValue(name)
        .filter(value -> value.matches("[1-9][0-9]{0,5}"))
        .map(value -> Duration.ofSeconds(Long.parseLong(value)));
  }

  /** Some say in words what the least pause between two calls is, in seconds. */
  private static Optional<Duration> threshold(String text) {
    Matcher matcher = THRESHOLD.matcher(text);
    return matcher.find()
        ? Optional.of(
            Duration.ofMillis(Math.max(100, (long) (Double.parseDouble(matcher.group(1)) * 1000))))
        : Optional.empty();
  }

  private static Optional<JsonNode> parse(String text) {
    try {
      JsonNode json = JSON.readTree(text);
      return Optional.ofNullable(json).filter(node -> !node.isMissingNode());
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** The market's words as they may be logged: short, on one line, without our key. */
  private String quote(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").replace(rules.apiKey(), "***").strip();
    return line.length() <= QUOTED_MOST ? line : line.substring(0, QUOTED_MOST) + "…";
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
