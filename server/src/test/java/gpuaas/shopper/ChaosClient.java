package gpuaas.shopper;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Somebody who wants one session: asks for it again when there was no answer, takes another offer
 * when one is gone, and ends it in a way of their own, or not at all.
 */
final class ChaosClient {

  private static final int TRIES = 6;
  private static final long PATIENCE_NANOS = Duration.ofSeconds(60).toNanos();
  private static final String SESSIONS = "/api/v1/sessions";

  private final String url;
  private final String name;
  private final SplittableRandom random;
  private final Ending ending;
  private Optional<String> session = Optional.empty();

  /** What becomes of the session. */
  enum Ending {
    DONE,
    DELETED,
    /** Nobody ends it: its time does. */
    LEFT,
    KEPT,
    EXTENDED
  }

  ChaosClient(String url, String name, SplittableRandom random) {
    this.url = url;
    this.name = name;
    this.random = random;
    this.ending = Ending.values()[random.nextInt(Ending.values().length)];
  }

  /** Tries to get a session that runs; whether there is one in the end is not certain. */
  void create() {
    for (int i = 0; i < TRIES && !isSettled(); i++) {
      Optional<String> offer = offer();
      if (offer.isEmpty()) {
        continue;
      }
      if (random.nextInt(8) == 0) {
        askAndGo(body(offer.get()));
      } else {
        call("POST", SESSIONS, body(offer.get()))
            .filter(answer -> answer.status() == 201)
            .ifPresent(answer -> session = Optional.of(answer.json().at("/session/id").asText()));
      }
    }
  }

  /** Ends it as this client does. */
  void end() {
    if (session.isEmpty()) {
      return;
    }
    String path = SESSIONS + "/" + session.get();
    switch (ending) {
      case DONE -> call("POST", path + "/done", "");
      case DELETED -> call("DELETE", path, "");
      case EXTENDED -> call("POST", path + "/extend", "{\"additional_hours\": 1}");
      case LEFT, KEPT -> {}
    }
  }

  private String body(String offer) {
    int hours = ending == Ending.LEFT ? 4 : 5 + random.nextInt(7);
    String retry = random.nextInt(3) == 0 ? ", \"auto_retry\": true, \"retry_scope\": \"any\"" : "";
    String keep = random.nextInt(4) == 0 ? ", \"storage_policy\": \"preserve\"" : "";
    return "{\"consumer_id\": \""
        + name
        + "\", \"offer_id\": \""
        + offer
        + "\", \"workload_type\": \"batch\", \"reservation_hours\": "
        + hours
        + retry
        + keep
        + "}";
  }

  private Optional<String> offer() {
    String provider = random.nextBoolean() ? "vastai" : "tensordock";
    List<String> ids = new ArrayList<>();
    call("GET", "/api/v1/inventory?limit=100&provider=" + provider, "")
        .filter(answer -> answer.status() == 200)
        .ifPresent(answer ->
            answer.json().path("offers").forEach(offer -> ids.add(offer.path("id").asText())));
    if (ids.isEmpty()) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
      return Optional.empty();
    }
    return Optional.of(ids.get(random.nextInt(ids.size())));
  }

  /** Waits while there is a session of ours that has not come to something; true if one runs. */
  private boolean isSettled() {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (System.nanoTime() < deadline) {
      Optional<Answer> answer = call("GET", SESSIONS + "?consumer_id=" + name, "");
      if (answer.filter(list -> list.status() == 200).isPresent()) {
        boolean comes = false;
        for (JsonNode each : answer.get().json().path("sessions")) {
          String status = each.path("status").asText();
          if (status.equals("running")) {
            session = Optional.of(each.path("id").asText());
            return true;
          }
          comes |= status.equals("pending") || status.equals("provisioning");
        }
        if (!comes) {
          return false;
        }
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500));
    }
    return false;
  }

  /** Hangs up before there is an answer. */
  private void askAndGo(String body) {
    URI uri = URI.create(url);
    String request =
        "POST "
            + SESSIONS
            + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
            + body.getBytes(UTF_8).length
            + "\r\n\r\n"
            + body;
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), uri.getPort())) {
      socket.getOutputStream().write(request.getBytes(UTF_8));
      socket.getOutputStream().flush();
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(100)));
    } catch (IOException away) {
      // It is looked for like any other.
    }
  }

  /** Empty: no answer, as the server was killed. */
  private Optional<Answer> call(String method, String path, String body) {
    try {
      return Optional.of(TestServer.send(method, url + path, Map.of(), body));
    } catch (AssertionError noAnswer) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
      return Optional.empty();
    }
  }
}
