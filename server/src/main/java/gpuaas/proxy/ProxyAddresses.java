package gpuaas.proxy;

import java.net.URI;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which port of which lease an address means: by path, {@code /lease-0123456789ab/8888/}, or with a
 * domain by host name, {@code 8888-lease-0123456789ab.leases.example.com}.
 *
 * @param publicUrl how browsers reach the proxy, without a slash at the end
 */
public record ProxyAddresses(String publicUrl, Optional<String> domain) {

  private static final int PORT_MOST = 65_535;
  private static final String LEASE = "lease-[0-9a-f]{12}";
  private static final Pattern PATH =
      Pattern.compile(
          "/(" + LEASE + "|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([1-9][0-9]{0,4})(/.*)?");
  private static final Pattern NAME = Pattern.compile("([1-9][0-9]{0,4})-(" + LEASE + ")");

  /**
   * A place that was asked for.
   *
   * @param lease its host name or id
   * @param prefix the part of the path that names it; empty with a domain
   * @param rest the path behind that; empty: there was no slash
   */
  record Where(String lease, int port, String prefix, String rest) {}

  Optional<Where> find(RequestHead request) {
    return (domain.isPresent() ? byName(request, domain.get()) : byPath(request))
        .filter(where -> where.port() <= PORT_MOST);
  }

  private static Optional<Where> byPath(RequestHead request) {
    Matcher path = PATH.matcher(request.path());
    if (!path.matches()) {
      return Optional.empty();
    }
    String rest = path.group(3) == null ? "" : path.group(3);
    return Optional.of(
        new Where(
            path.group(1),
            Integer.parseInt(path.group(2)),
            "/" + path.group(1) + "/" + path.group(2),
            rest));
  }

  private static Optional<Where> byName(RequestHead request, String domain) {
    String host = request.host().replaceFirst(":[0-9]+$", "");
    if (!host.endsWith("." + domain)) {
      return Optional.empty();
    }
    Matcher name = NAME.matcher(host.substring(0, host.length() - domain.length() - 1));
    return name.matches()
        ? Optional.of(new Where(name.group(2), Integer.parseInt(name.group(1)), "", request.path()))
        : Optional.empty();
  }

  /** Where a port of a lease is reached; ends with a slash. */
  public String url(String hostName, int port) {
    if (domain.isEmpty()) {
      return publicUrl + basePath(hostName, port);
    }
    URI own = URI.create(publicUrl);
    String at = own.getPort() < 0 ? "" : ":" + own.getPort();
    return own.getScheme() + "://" + port + "-" + hostName + "." + domain.get() + at + "/";
  }

  /** The path of that. */
  public String basePath(String hostName, int port) {
    return basePath(domain, hostName, port);
  }

  /** The same, before it is known where the proxy listens. */
  public static String basePath(Optional<String> domain, String hostName, int port) {
    return domain.isPresent() ? "/" : "/" + hostName + "/" + port + "/";
  }

  boolean isSecure() {
    return publicUrl.startsWith("https:");
  }
}
