package gpuaas.gpuaas;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Reads a stream of server-sent events as the standard says. */
final class EventClient implements AutoCloseable {

  /** One event. */
  record Told(String id, String event, JsonNode data) {}

  private final HttpClient http = HttpClient.newHttpClient();
  private final HttpResponse<java.io.InputStream> response;
  private final List<Told> told = new CopyOnWriteArrayList<>();
  private volatile String lastId = "";
  private volatile int beats;
  private volatile boolean ended;

  EventClient(String url, String token, String lastEventId)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url)).header("Authorization", "Bearer " + token);
    if (!lastEventId.isEmpty()) {
      request.header("Last-Event-ID", lastEventId);
    }
    response = http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    Thread.ofVirtual().start(this::read);
  }

  int status() {
    return response.statusCode();
  }

  String contentType() {
    return response.headers().firstValue("content-type").orElse("");
  }

  List<Told> told() {
    return told;
  }

  List<String> types() {
    return told.stream().map(Told::event).toList();
  }

  String lastId() {
    return lastId;
  }

  int beats() {
    return beats;
  }

  boolean ended() {
    return ended;
  }

  private void read() {
    String event = "";
    String data = "";
    try (BufferedReader lines = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("id: ")) {
          lastId = line.substring(4);
        } else if (line.startsWith("event: ")) {
          event = line.substring(7);
        } else if (line.startsWith("data: ")) {
          data = line.substring(6);
        } else if (line.startsWith(":")) {
          beats++;
        } else if (line.isEmpty() && !data.isEmpty()) {
          told.add(new Told(lastId, event, new ObjectMapper().readTree(data)));
          data = "";
        }
      }
    } catch (IOException e) {
      // it ended in the middle
    }
    ended = true;
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
