package gpuaas.proxy;

import gpuaas.proxy.Pages.Page;
import gpuaas.proxy.ProxyAddresses.Where;
import gpuaas.proxy.WebDoors.WebDoor;
import gpuaas.web.Web;
import gpuaas.web.Web.State;
import java.time.Duration;
import java.util.List;

/** What the proxy says when somebody cannot be led on. */
final class Refusals {

  private Refusals() {}

  static Page malformed(Malformed wrong) {
    return new Page(
        wrong.status(),
        wrong.status() == 502 ? "The answer cannot be passed on" : "This request is not forwarded",
        wrong.why());
  }

  static Page noAddress(boolean byName) {
    return new Page(
        404,
        "There is nothing here",
        byName
            ? "Addresses of leases begin with PORT-lease-ID, such as 8888-lease-0123456789ab,"
                + " before the domain."
            : "Addresses of leases look like /lease-0123456789ab/8888/. The API shows them in"
                + " full.");
  }

  static Page noLease() {
    return new Page(
        404,
        "There is no such lease",
        "It has ended, or nothing of it was made reachable. Look its address up again where you"
            + " asked for it.");
  }

  static Page noToken(boolean shown) {
    return new Page(
        401,
        shown ? "This token does not open it" : "A token is needed",
        "Open the whole address as the API shows it, with ?token= at its end, or send the token as"
            + " Authorization: Bearer.",
        List.of(new HeadFields.Field("WWW-Authenticate", "Bearer")));
  }

  static Page tooManyTries(Duration pause) {
    return new Page(
        429,
        "Too many wrong tokens came from your address",
        "Try again in " + (pause.toSeconds() + 1) + " seconds.",
        List.of(new HeadFields.Field("Retry-After", Long.toString(pause.toSeconds() + 1))));
  }

  static Page notRunning(WebDoor door) {
    return new Page(
        503,
        "The lease does not run",
        "It " + door.state() + ". This works as soon as it runs.",
        List.of(new HeadFields.Field("Retry-After", "5")));
  }

  static Page notDeclared(int port) {
    return port == Web.JUPYTER_PORT
        ? new Page(
            404,
            "Jupyter is not enabled, and port " + port + " is not declared",
            "Enable it with POST /v1/jobs/ID/jupyter/enable, or declare the port with POST"
                + " /v1/jobs/ID/ports and {\"port\": "
                + port
                + "}.")
        : new Page(
            404,
            "Port " + port + " is not declared",
            "Declare it with POST /v1/jobs/ID/ports and {\"port\": " + port + "}.");
  }

  static Page nobodyListens(Web web, Where where) {
    if (web.isJupyter(where.port())) {
      Web.Jupyter jupyter = web.jupyter();
      String why =
          jupyter.error().isEmpty() ? "It is being started." : "What is known: " + jupyter.error();
      return new Page(
          jupyter.state() == State.FAILED ? 502 : 503,
          "Jupyter does not answer yet",
          why + " It is tried again by itself.",
          List.of(new HeadFields.Field("Retry-After", "3")));
    }
    return new Page(
        502,
        "Nothing listens on port " + where.port(),
        "Start your program inside, on 127.0.0.1 or 0.0.0.0 and port "
            + where.port()
            + ", then load this again.");
  }

  static Page brokeOff() {
    return new Page(
        502,
        "The connection broke off",
        "What listens there ended it before it answered. Look at its log inside, then try again.");
  }

  static Page tooSlow(Duration limit) {
    return new Page(
        504,
        "It did not answer in time",
        "What listens there took the request and said nothing for "
            + limit.toSeconds()
            + " seconds.");
  }

  static Page foreignOrigin() {
    return new Page(
        403,
        "WebSockets can only be opened by pages from here",
        "The page that tried is of another origin.");
  }

  static Page tooMany() {
    return new Page(
        503,
        "This lease has too many connections",
        "Close some, then try again.",
        List.of(new HeadFields.Field("Retry-After", "5")));
  }
}
