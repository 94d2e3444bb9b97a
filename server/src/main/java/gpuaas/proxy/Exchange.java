package gpuaas.proxy;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.db.DatabaseGone;
import gpuaas.http.FailedTries;
import gpuaas.proxy.HeadFields.Field;
import gpuaas.proxy.Pages.Page;
import gpuaas.proxy.ProxyAddresses.Where;
import gpuaas.proxy.WebDoors.Inside;
import gpuaas.proxy.WebDoors.WebDoor;
import gpuaas.web.Web;
import gpuaas.web.Web.Port;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * One request: whether it may go on, and where to. Either it is answered here, or {@link
 * Forwarding} takes it over.
 */
final class Exchange {

  private final Parts parts;
  private final String client;
  private final RequestHead request;

  /**
   * What all exchanges share.
   *
   * @param used told of the lease whenever bytes pass
   */
  record Parts(
      ProxySettings settings,
      ProxyAddresses addresses,
      WebDoors doors,
      FailedTries failedTries,
      Crowd crowd,
      Consumer<UUID> used) {}

  Exchange(Parts parts, String client, RequestHead request) {
    this.parts = parts;
    this.client = client;
    this.request = request;
  }

  /** What is to be done with it. */
  sealed interface Decision {
    /** It ends here. */
    record Answer(Page page) implements Decision {}

    /**
     * It goes on.
     *
     * @param added to the answer
     */
    record Forward(
        Web web, Inside inside, Where where, Crossing crossing, String head, List<Field> added)
        implements Decision {}
  }

  Decision decide() {
    Optional<Where> found = parts.addresses().find(request);
    if (found.isEmpty()) {
      return answer(Refusals.noAddress(parts.addresses().domain().isPresent()));
    }
    Where where = found.get();
    Optional<WebDoor> door;
    Credentials shown;
    try {
      parts.failedTries().admit(client);
      door = parts.doors().find(where.lease());
      if (door.isEmpty()) {
        return answer(Refusals.noLease());
      }
      shown = Credentials.of(request, door.get().web().hostName());
      if (!shown.open(door.get().web().token())) {
        if (shown.isShown()) {
          parts.failedTries().failed(client);
        }
        return answer(Refusals.noToken(shown.isShown()));
      }
    } catch (DatabaseGone e) {
      return answer(new Page(503, "Not now", "Our database does not answer. Try again soon."));
    } catch (Refused no) {
      return answer(
          no.refusal() instanceof Refusal.RateLimited limited
              ? Refusals.tooManyTries(limited.retryAfter())
              : new Page(503, "Not now", "Try again later."));
    }
    return letIn(where, door.get(), shown);
  }

  private Decision letIn(Where where, WebDoor door, Credentials shown) {
    Web web = door.web();
    Optional<Port> port = web.port(where.port());
    if (port.isEmpty()) {
      return answer(Refusals.notDeclared(where.port()));
    }
    if (door.inside().isEmpty()) {
      return answer(Refusals.notRunning(door));
    }
    if (request.isUpgrade() && !isOwnOrigin()) {
      return answer(Refusals.foreignOrigin());
    }
    boolean byName = parts.addresses().domain().isPresent();
    boolean jupyter = web.isJupyter(where.port());
    Field cookie =
        Credentials.cookie(
            web.hostName(),
            web.token(),
            byName ? "/" : "/" + web.hostName() + "/",
            parts.addresses().isSecure());
    boolean byAddress = shown.isInAddress(web.token());
    List<Field> added = byAddress ? List.of(cookie) : List.of();
    if (!where.lease().equals(web.hostName())) {
      // What listens there knows one name of the lease only.
      String path = "/" + web.hostName() + "/" + where.port() + where.rest();
      return answer(Pages.redirect(307, withQuery(path, request.query()), added));
    }
    if (request.isLook() && where.rest().isEmpty()) {
      return answer(Pages.redirect(307, withQuery(request.path() + "/", request.query()), added));
    }
    if (request.isLook() && byAddress && !jupyter) {
      String query = Credentials.withoutToken(request.query());
      return answer(Pages.redirect(302, withQuery(request.path(), query), added));
    }
    Crossing crossing =
        new Crossing(
            where,
            port.get().stripPrefix() && !byName,
            jupyter,
            parts.addresses().isSecure(),
            !byName,
            client);
    return new Decision.Forward(
        web,
        door.inside().get(),
        where,
        crossing,
        crossing.inwards(request, shown, web.token()),
        added);
  }

  private static String withQuery(String path, String query) {
    // Two slashes at the beginning would name another host.
    String own = path.replaceFirst("^/+", "/");
    return query.isEmpty() ? own : own + "?" + query;
  }

  /** Browsers let any page open a WebSocket anywhere, with the cookies of there. */
  private boolean isOwnOrigin() {
    List<String> origins = new ArrayList<>(request.fields().all("origin"));
    if (origins.isEmpty()) {
      return true; // no browser
    }
    if (origins.size() > 1) {
      return false;
    }
    try {
      URI origin = URI.create(origins.getFirst());
      URI own = URI.create(parts.addresses().publicUrl());
      String authority = origin.getRawAuthority();
      return authority != null
          && (authority.equalsIgnoreCase(request.host())
              || (parts.addresses().domain().isEmpty()
                  && authority.equalsIgnoreCase(own.getRawAuthority())));
    } catch (IllegalArgumentException noOrigin) {
      return false;
    }
  }

  private static Decision answer(Page page) {
    return new Decision.Answer(page);
  }

  /** Whether the client is a browser that shows pages. */
  static boolean wantsHtml(RequestHead request) {
    return request
        .fields()
        .first("accept")
        .filter(kinds -> kinds.contains("text/html"))
        .isPresent();
  }

  /** Does what was decided; true when the connection can be used for another request. */
  boolean run(Wire wire, Progress progress) throws IOException {
    progress.flow(parts.settings().idleLimit(), () -> {});
    return switch (decide()) {
      case Decision.Answer(Page page) -> {
        boolean keepAlive = request.keepsAlive() && request.body() instanceof Framing.None;
        Pages.write(wire, page, wantsHtml(request), request.isHead(), keepAlive);
        yield keepAlive;
      }
      case Decision.Forward forward ->
          new Forwarding(parts, request, forward, wire, progress).run();
    };
  }
}
