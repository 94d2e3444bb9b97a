package gpuaas.idp;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.http.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The other provider over HTTP: its document, its keys, its token endpoint. */
final class IssuerCalls {

  private static final Logger log = LoggerFactory.getLogger(IssuerCalls.class);
  private static final int ANSWER_BYTES_MOST = 1024 * 1024;
  private static final Duration COME_AGAIN = Duration.ofSeconds(10);

  private final IssuerSettings settings;
  private final InstantSource clock;
  private final HttpClient http;
  private volatile @Nullable Known known;

  IssuerCalls(IssuerSettings settings, InstantSource clock) {
    this.settings = settings;
    this.clock = clock;
    this.http = HttpClient.newBuilder().connectTimeout(settings.callLimit()).build();
  }

  /** Where its endpoints are. */
  record Document(String authorization, String token, String keys, Optional<String> endSession) {}

  private record Known(Document document, Instant at) {}

  /** An answer; the body may be anything. */
  record Answer(int status, String body) {
    /** As JSON; an empty object if it is none. */
    JsonNode json() {
      try {
        return Json.read(body);
      } catch (Refused none) {
        return Json.read("{}");
      }
    }
  }

  /** What is said to whoever needs it while it cannot be reached. */
  static Refused away() {
    return new Refused(new Refusal.NotReady("the identity provider", COME_AGAIN));
  }

  /** Its document: asked for now and then, and used as it was while it cannot be had. */
  Document document() {
    Known before = known;
    Instant now = clock.instant();
    if (before != null && now.isBefore(before.at().plus(settings.documentsLast()))) {
      return before.document();
    }
    try {
      Document document = read();
      known = new Known(document, now);
      return document;
    } catch (IOException e) {
      log.warn("{} cannot be asked for its document: {}", settings.issuer(), e.toString());
      if (before != null) {
        return before.document();
      }
      throw away();
    }
  }

  private Document read() throws IOException {
    String slash = settings.issuer().endsWith("/") ? "" : "/";
    String url = settings.issuer() + slash + ".well-known/openid-configuration";
    Answer answer = send(HttpRequest.newBuilder(URI.create(url)).GET());
    JsonNode json = answer.json();
    if (answer.status() != 200 || !json.path("issuer").asText().equals(settings.issuer())) {
      throw new IOException("status " + answer.status() + ", or the document of another issuer");
    }
    for (String name : new String[] {"authorization_endpoint", "token_endpoint", "jwks_uri"}) {
      if (!json.path(name).asText().matches("https?://\\S+")) {
        throw new IOException("the document has no " + name);
      }
    }
    return new Document(
        json.path("authorization_endpoint").asText(),
        json.path("token_endpoint").asText(),
        json.path("jwks_uri").asText(),
        Optional.of(json.path("end_session_endpoint").asText()).filter(text -> !text.isEmpty()));
  }

  /** Its keys. */
  String keys() throws IOException {
    Answer answer = send(HttpRequest.newBuilder(URI.create(document().keys())).GET());
    if (answer.status() != 200) {
      throw new IOException("status " + answer.status());
    }
    return answer.body();
  }

  /** Sends a form with our name and secret. */
  Answer form(String url, Map<String, String> fields) throws IOException {
    String body =
        fields.entrySet().stream()
            .map(field -> encoded(field.getKey()) + "=" + encoded(field.getValue()))
            .collect(Collectors.joining("&"));
    String own =
        "&client_id="
            + encoded(settings.clientId())
            + "&client_secret="
            + encoded(settings.clientSecret());
    return send(
        HttpRequest.newBuilder(URI.create(url))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(body + own)));
  }

  static String encoded(String text) {
    return URLEncoder.encode(text, UTF_8);
  }

  /** The limit is to the last byte. */
  private Answer send(HttpRequest.Builder request) throws IOException {
    var coming =
        http.sendAsync(
            request.header("Accept", "application/json").build(),
            HttpResponse.BodyHandlers.ofInputStream());
    try {
      HttpResponse<InputStream> response =
          coming.get(settings.callLimit().toMillis(), TimeUnit.MILLISECONDS);
      try (InputStream body = response.body()) {
        byte[] bytes = body.readNBytes(ANSWER_BYTES_MOST + 1);
        if (bytes.length > ANSWER_BYTES_MOST) {
          throw new IOException("the answer is too long");
        }
        return new Answer(response.statusCode(), new String(bytes, UTF_8));
      }
    } catch (java.util.concurrent.ExecutionException e) {
      throw new IOException(String.valueOf(e.getCause()), e);
    } catch (java.util.concurrent.TimeoutException e) {
      coming.cancel(true);
      throw new IOException("no answer in time", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }
}
