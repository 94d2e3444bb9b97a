package gpuaas.proxy;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The head of a request that can be read in one way only.
 *
 * @param path as it was sent, with {@code %} and all
 * @param query without the question mark; empty: none
 * @param host of the {@code Host} field, in lower case
 * @param body how it ends
 */
record RequestHead(
    String method,
    String path,
    String query,
    boolean version11,
    String host,
    HeadFields fields,
    Framing body) {

  private static final Pattern LINE =
      Pattern.compile("([A-Za-z]{1,20}) (/[\\x21\\x23-\\x7e]*) HTTP/1\\.([01])");
  private static final Pattern HOST =
      Pattern.compile(
          "[A-Za-z0-9._-]{1,255}(:[0-9]{1,5})?|\\[[0-9A-Fa-f:.]{2,45}\\](:[0-9]{1,5})?");

  static RequestHead parse(List<String> lines) throws Malformed {
    Matcher line = LINE.matcher(lines.isEmpty() ? "" : lines.getFirst());
    if (!line.matches() || line.group(2).indexOf('#') >= 0 || isOdd(line.group(2))) {
      throw new Malformed(400, "The first line of the request must be: METHOD /path HTTP/1.1");
    }
    String method = line.group(1);
    if (method.equals("CONNECT") || method.equals("TRACE")) {
      throw new Malformed(405, "This method is not forwarded.");
    }
    HeadFields fields = HeadFields.parse(lines.subList(1, lines.size()));
    List<String> hosts = fields.all("host");
    if (hosts.size() != 1 || !HOST.matcher(hosts.getFirst()).matches()) {
      throw new Malformed(400, "There must be one Host field.");
    }
    boolean version11 = line.group(3).equals("1");
    Framing body = Framing.of(fields, new Framing.None());
    if (body instanceof Framing.Chunked && !version11) {
      throw new Malformed(400, "HTTP/1.0 has no chunks.");
    }
    String[] target = line.group(2).split("\\?", 2);
    RequestHead head =
        new RequestHead(
            method,
            target[0],
            target.length > 1 ? target[1] : "",
            version11,
            hosts.getFirst().toLowerCase(java.util.Locale.ROOT),
            fields,
            body);
    if (head.isUpgrade() && !(body instanceof Framing.None)) {
      throw new Malformed(400, "What becomes a WebSocket has no body.");
    }
    return head;
  }

  /** Browsers take a backslash in a path for a slash. */
  private static boolean isOdd(String target) {
    return target.split("\\?", 2)[0].indexOf('\\') >= 0;
  }

  /** Whether it asks for a WebSocket; other upgrades are not passed on. */
  boolean isUpgrade() {
    return version11
        && method.equals("GET")
        && fields.hasWord("connection", "upgrade")
        && fields.hasWord("upgrade", "websocket");
  }

  /** Whether the client waits for a word before it sends the body. */
  boolean expectsWord() {
    return version11 && fields.hasWord("expect", "100-continue");
  }

  boolean keepsAlive() {
    return version11 && !fields.hasWord("connection", "close");
  }

  /** Whether an answer has no body, whatever its head says. */
  boolean isHead() {
    return method.equals("HEAD");
  }

  /** Whether it changes nothing, so that it can be sent elsewhere. */
  boolean isLook() {
    return (method.equals("GET") || isHead()) && !isUpgrade();
  }

  String target() {
    return query.isEmpty() ? path : path + "?" + query;
  }
}
