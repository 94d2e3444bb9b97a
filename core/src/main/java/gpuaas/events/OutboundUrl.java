package gpuaas.events;

import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** What can be said about a URL that a stranger gave, before any name is looked up. */
final class OutboundUrl {

  private static final int LENGTH_MOST = 2048;
  private static final int HOST_LENGTH_MOST = 253;
  private static final int FIRST_OPEN_PORT = 1024;
  private static final Pattern NAME =
      Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*");
  private static final Pattern DOTTED_QUAD =
      Pattern.compile("((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\\.(?!$)|$)){4}");
  private static final Pattern NUMBER = Pattern.compile("[0-9]+|0x[0-9a-f]*");
  private static final Pattern OWN_NAME = Pattern.compile("(.*\\.)?(localhost|local|internal)");

  private OutboundUrl() {}

  /** What is wrong with it, as a sentence without a subject; empty: nothing that can be seen. */
  static Optional<String> problem(String text, boolean allowPrivate) {
    if (text.length() > LENGTH_MOST) {
      return Optional.of("must have at most " + LENGTH_MOST + " characters");
    }
    URI url;
    try {
      url = new URI(text);
    } catch (URISyntaxException e) {
      return Optional.of("is not a URL");
    }
    String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
    if (!scheme.equals("https") && !(allowPrivate && scheme.equals("http"))) {
      return Optional.of("must begin with https://");
    }
    if (url.getRawUserInfo() != null || url.getRawFragment() != null) {
      return Optional.of("must have no user, password or fragment");
    }
    if (url.getHost() == null) {
      return Optional.of("must name a host");
    }
    int port = url.getPort();
    boolean usual = port == -1 || port == 443 || (port == 80 && scheme.equals("http"));
    if (!usual && (port < FIRST_OPEN_PORT || port > 65_535)) {
      return Optional.of("must use port 443, or one from 1024 to 65535");
    }
    return host(url.getHost().toLowerCase(Locale.ROOT), allowPrivate);
  }

  private static Optional<String> host(String host, boolean allowPrivate) {
    Optional<String> closed = Optional.of("must name a host on the public Internet");
    if (host.startsWith("[")) {
      return !host.contains("%") && isOpen(host.substring(1, host.length() - 1), allowPrivate)
          ? Optional.empty()
          : closed;
    }
    if (DOTTED_QUAD.matcher(host).matches()) {
      return isOpen(host, allowPrivate) ? Optional.empty() : closed;
    }
    String last = host.substring(host.lastIndexOf('.') + 1);
    if (NUMBER.matcher(last).matches()) {
      return Optional.of("must write an address as four decimal numbers");
    }
    if (host.length() > HOST_LENGTH_MOST || !NAME.matcher(host).matches()) {
      return Optional.of("must name a host in letters, digits and dashes");
    }
    boolean ours = OWN_NAME.matcher(host).matches() || !host.contains(".");
    return ours && !allowPrivate ? closed : Optional.empty();
  }

  /** For literal addresses alone: nothing is looked up. */
  private static boolean isOpen(String literal, boolean allowPrivate) {
    try {
      return OutboundAddress.isAllowed(InetAddress.getByName(literal), allowPrivate);
    } catch (UnknownHostException e) {
      return false;
    }
  }
}
