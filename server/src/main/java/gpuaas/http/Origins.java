package gpuaas.http;

import gpuaas.http.SocketRoute.Handshake;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Whose pages may open sockets here. Browsers say which page asks, and a page of somebody else must
 * not act for whoever looks at it; programs that are no browsers say nothing.
 *
 * @param publicUrl the address that the world knows; empty: the one that each client used
 * @param others addresses whose pages may as well, such as {@code https://console.example.com/in}
 */
public record Origins(Optional<String> publicUrl, Set<String> others) {

  public Origins {
    others = Set.copyOf(others);
  }

  /** False for a page that is neither ours nor one of the others. */
  public boolean allow(Handshake handshake) {
    String origin = handshake.headers().get("origin");
    if (origin == null) {
      return true;
    }
    String asked = origin.toLowerCase(Locale.ROOT);
    return own(handshake, asked)
        || others.stream().map(Origins::origin).anyMatch(Optional.of(asked)::equals);
  }

  private boolean own(Handshake handshake, String asked) {
    if (publicUrl.isPresent()) {
      return origin(publicUrl.get()).equals(Optional.of(asked));
    }
    String host = handshake.headers().getOrDefault("host", "").toLowerCase(Locale.ROOT);
    return asked.equals("http://" + host) || asked.equals("https://" + host);
  }

  /** Scheme, host and port of an address, as browsers write them. */
  private static Optional<String> origin(String url) {
    try {
      URI uri = URI.create(url.toLowerCase(Locale.ROOT));
      boolean usual =
          uri.getPort() < 0
              || ("http".equals(uri.getScheme()) && uri.getPort() == 80)
              || ("https".equals(uri.getScheme()) && uri.getPort() == 443);
      return Optional.of(
          uri.getScheme() + "://" + uri.getHost() + (usual ? "" : ":" + uri.getPort()));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
