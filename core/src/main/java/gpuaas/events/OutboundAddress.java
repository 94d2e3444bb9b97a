package gpuaas.events;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;

/** Which addresses may be connected to for somebody who only gave us a URL. */
final class OutboundAddress {

  /**
   * IPv4 networks that are not the public Internet (RFC 6890), and 168.63.129.16, which answers
   * every machine of one cloud with its secrets.
   */
  private static final List<Network> CLOSED_IPV4 =
      networks(
          "0.0.0.0/8",
          "10.0.0.0/8",
          "100.64.0.0/10",
          "127.0.0.0/8",
          "168.63.129.16/32",
          "169.254.0.0/16",
          "172.16.0.0/12",
          "192.0.0.0/24",
          "192.0.2.0/24",
          "192.88.99.0/24",
          "192.168.0.0/16",
          "198.18.0.0/15",
          "198.51.100.0/24",
          "203.0.113.0/24",
          "224.0.0.0/4",
          "240.0.0.0/4");

  /**
   * All of public IPv6. What carries IPv4 inside (mapped, compatible, NAT64) is outside of it, as
   * are loopback, link-local, unique local and multicast.
   */
  private static final Network PUBLIC_IPV6 = network("2000::/3");

  /** Within it: protocol assignments with Teredo, documentation, 6to4. */
  private static final List<Network> CLOSED_IPV6 =
      networks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20");

  /** What a developer's own machine and network use. */
  private static final List<Network> NEAR =
      networks(
          "127.0.0.0/8",
          "10.0.0.0/8",
          "172.16.0.0/12",
          "192.168.0.0/16",
          "100.64.0.0/10",
          "::1/128",
          "fc00::/7");

  /** Never, not even for developers: the metadata of clouds. */
  private static final Network METADATA_IPV6 = network("fd00:ec2::/32");

  private OutboundAddress() {}

  /**
   * True when it may be connected to.
   *
   * @param allowPrivate also this machine and its private networks
   */
  static boolean isAllowed(InetAddress address, boolean allowPrivate) {
    byte[] bytes = address.getAddress();
    if (allowPrivate
        && NEAR.stream().anyMatch(network -> network.contains(bytes))
        && !METADATA_IPV6.contains(bytes)) {
      return true;
    }
    return switch (address) {
      case Inet4Address _ -> CLOSED_IPV4.stream().noneMatch(network -> network.contains(bytes));
      case Inet6Address _ ->
          PUBLIC_IPV6.contains(bytes)
              && CLOSED_IPV6.stream().noneMatch(network -> network.contains(bytes));
      default -> false;
    };
  }

  private record Network(InetAddress base, int bits) {
    boolean contains(byte[] other) {
      byte[] address = base.getAddress();
      if (other.length != address.length) {
        return false;
      }
      for (int bit = 0; bit < bits; bit++) {
        int mask = 0x80 >> (bit % 8);
        if ((address[bit / 8] & mask) != (other[bit / 8] & mask)) {
          return false;
        }
      }
      return true;
    }
  }

  private static List<Network> networks(String... texts) {
    return List.of(texts).stream().map(OutboundAddress::network).toList();
  }

  private static Network network(String text) {
    String[] parts = text.split("/", 2);
    try {
      return new Network(InetAddress.getByName(parts[0]), Integer.parseInt(parts[1]));
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e);
    }
  }
}
