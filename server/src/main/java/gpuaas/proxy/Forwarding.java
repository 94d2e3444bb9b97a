package gpuaas.proxy;

import gpuaas.proxy.HeadFields.Field;
import gpuaas.proxy.Pages.Page;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request on its way into a lease and its answer on the way out, both at the same time: whoever
 * takes an upload may answer before it is over.
 */
final class Forwarding {

  private static final Logger log = LoggerFactory.getLogger(Forwarding.class);
  private static final int HEAD_BYTES_MOST = 64 * 1024;
  private static final int INTERIM_MOST = 10;
  private static final int SWITCHING = 101;
  private static final Duration LAST_BYTES = Duration.ofSeconds(2);

  private final Exchange.Parts parts;
  private final RequestHead request;
  private final Exchange.Decision.Forward way;
  private final Wire client;
  private final Progress progress;
  private volatile @Nullable IOException uploadFailure;

  Forwarding(
      Exchange.Parts parts,
      RequestHead request,
      Exchange.Decision.Forward way,
      Wire client,
      Progress progress) {
    this.parts = parts;
    this.request = request;
    this.way = way;
    this.client = client;
    this.progress = progress;
  }

  /** True when the connection can be used for another request. */
  boolean run() throws IOException {
    SocketChannel channel;
    try {
      channel = way.inside().connect(way.where().port());
    } catch (IOException | RuntimeException nobody) {
      log.debug("no connection into lease {}", way.web().lease(), nobody);
      return answer(Refusals.nobodyListens(way.web(), way.where()));
    }
    Wire inside = new Wire(channel.socket(), progress);
    Optional<Crowd.Guest> guest =
        parts
            .crowd()
            .enter(
                way.web().lease(),
                way.where().port(),
                () -> {
                  client.abort();
                  inside.abort();
                });
    if (guest.isEmpty()) {
      inside.close();
      return answer(Refusals.tooMany());
    }
    progress.flow(parts.settings().idleLimit(), () -> parts.used().accept(way.web().lease()));
    try (inside;
        Crowd.Guest _ = guest.get()) {
      return forward(inside);
    } finally {
      progress.flow(parts.settings().idleLimit(), () -> {});
    }
  }

  private boolean forward(Wire inside) throws IOException {
    ResponseHead response;
    Thread upload = null;
    try {
      inside.write(way.head());
      if (request.expectsWord()) {
        client.write("HTTP/1.1 100 Continue\r\n\r\n");
      }
      if (!(request.body() instanceof Framing.None)) {
        upload = Thread.ofVirtual().name("proxy-upload").start(() -> upload(inside));
      }
      response = response(inside, upload);
    } catch (IOException e) {
      return failed(e);
    }
    if (response.status() == SWITCHING) {
      switchOver(response, inside);
      return false;
    }
    boolean whole = passOn(response, inside);
    if (upload != null && upload.isAlive()) {
      letUploadEnd(upload, inside);
      return false;
    }
    return whole && request.keepsAlive();
  }

  /** It was answered before all of it was read: the client is told, and has a moment to hear it. */
  private void letUploadEnd(Thread upload, Wire inside) throws IOException {
    client.endOutput();
    inside.close();
    try {
      if (!upload.join(LAST_BYTES)) {
        client.close();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void upload(Wire inside) {
    try {
      new BodyCopy(client, inside, request.body() instanceof Framing.Chunked).run(request.body());
    } catch (Malformed | EOFException e) {
      uploadFailure = e;
      inside.close(); // so that whoever waits for the answer waits no more
    } catch (IOException e) {
      endOutput(inside); // the client is gone, or the other side has heard enough and may say why
    }
  }

  private static void endOutput(Wire inside) {
    try {
      inside.endOutput();
    } catch (IOException _) {
      // It is closed: so be it.
    }
  }

  /** Nothing of an answer was written so far. */
  private boolean failed(IOException e) throws IOException {
    IOException cause = uploadFailure == null ? e : uploadFailure;
    return switch (cause) {
      case Malformed wrong -> answer(Refusals.malformed(wrong));
      case SocketTimeoutException _ -> answer(Refusals.tooSlow(parts.settings().answerLimit()));
      default -> answer(Refusals.brokeOff());
    };
  }

  private boolean answer(Page page) throws IOException {
    boolean keepAlive = request.keepsAlive() && request.body() instanceof Framing.None;
    Pages.write(client, page, Exchange.wantsHtml(request), request.isHead(), keepAlive);
    return keepAlive;
  }

  private ResponseHead response(Wire inside, @Nullable Thread upload) throws IOException {
    Duration limit = parts.settings().answerLimit();
    inside.timeout(limit);
    for (int i = 0; i < INTERIM_MOST; i++) {
      awaitAnswer(inside, upload, limit);
      ResponseHead response;
      try {
        response = ResponseHead.parse(inside.head(HEAD_BYTES_MOST, false));
        var _ = response.framing(request.isHead());
      } catch (Malformed wrong) {
        throw new Malformed(502, "What listens there does not speak HTTP as it should.");
      }
      if (response.status() == SWITCHING && !isExpectedSwitch(response)) {
        throw new Malformed(502, "What listens there speaks of an upgrade that nobody asked for.");
      }
      if (!response.isInterim()) {
        inside.timeout(Duration.ZERO);
        return response;
      }
    }
    throw new Malformed(502, "What listens there only says that it will answer.");
  }

  private boolean isExpectedSwitch(ResponseHead response) {
    return request.isUpgrade() && response.fields().hasWord("upgrade", "websocket");
  }

  /** As long as an upload goes on, nobody need answer. */
  private void awaitAnswer(Wire inside, @Nullable Thread upload, Duration limit)
      throws IOException {
    while (true) {
      try {
        if (!inside.awaitByte()) {
          throw new EOFException("no answer");
        }
        return;
      } catch (SocketTimeoutException e) {
        boolean moving =
            upload != null && upload.isAlive() && progress.sinceMoved().compareTo(limit) < 0;
        if (!moving) {
          throw e;
        }
      }
    }
  }

  /** False: it was cut off, which the client must see. */
  private boolean passOn(ResponseHead response, Wire inside) throws IOException {
    Framing framing = response.framing(request.isHead());
    boolean chunked =
        request.version11()
            && (framing instanceof Framing.Chunked || framing instanceof Framing.UntilEnd);
    List<Field> fields = new ArrayList<>(way.crossing().outwards(response));
    fields.addAll(way.added());
    if (framing instanceof Framing.Length(long bytes)) {
      fields.add(new Field("Content-Length", Long.toString(bytes)));
    } else if (chunked) {
      fields.add(new Field("Transfer-Encoding", "chunked"));
    } else if (framing instanceof Framing.None) {
      length(response).ifPresent(fields::add);
    }
    fields.add(new Field("Connection", request.keepsAlive() ? "keep-alive" : "close"));
    client.write(
        HeadFields.written("HTTP/1.1 " + response.status() + " " + response.reason(), fields));
    try {
      new BodyCopy(inside, client, chunked).run(framing);
      return true;
    } catch (IOException e) {
      client.abort();
      return false;
    }
  }

  private Optional<Field> length(ResponseHead response) {
    if (response.keepsLength(request.isHead())) {
      return response
          .fields()
          .first("content-length")
          .map(length -> new Field("Content-Length", length));
    }
    return response.status() == 204 || response.status() / 100 == 1
        ? Optional.empty()
        : Optional.of(new Field("Content-Length", "0"));
  }

  // --- sockets ---

  private void switchOver(ResponseHead response, Wire inside) throws IOException {
    List<Field> fields = new ArrayList<>(way.crossing().outwards(response));
    fields.addAll(way.added());
    fields.add(new Field("Upgrade", "websocket"));
    fields.add(new Field("Connection", "Upgrade"));
    client.write(HeadFields.written("HTTP/1.1 101 Switching Protocols", fields));
    Thread inwards = Thread.ofVirtual().name("proxy-in").start(() -> pump(client, inside));
    pump(inside, client);
    try {
      inwards.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** All bytes of one direction; what is left of the other may still pass. */
  private static void pump(Wire from, Wire to) {
    try {
      new BodyCopy(from, to, false).run(new Framing.UntilEnd());
      to.endOutput();
    } catch (IOException broken) {
      from.close();
      to.close();
    }
  }
}
