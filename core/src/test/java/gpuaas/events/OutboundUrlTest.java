package gpuaas.events;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every way to write an address that is not the public Internet is refused, and the rest is not.
 */
class OutboundUrlTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://example.com/hook",
        "https://EXAMPLE.com",
        "https://hooks.example.com:8443/a?b=c",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/"
      })
  void publicTargetsAreFine(String url) {
    assertThat(OutboundUrl.problem(url, false)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "example.com",
        "",
        "https:///hook",
        "https://user:pass@example.com/",
        "https://user@example.com/",
        "https://example.com/#part",
        "https://example.com:25/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://localhost/",
        "https://a.localhost/",
        "https://printer.local/",
        "https://metadata.google.internal/",
        "https://intranet/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://10.0.0.1/",
        "https://010.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00:ec2::254]/",
        "https://[64:ff9b::7f00:1]/",
        "https://exa_mple.com/",
        "https://exam\u0440le.com/",
        "https://-example.com/",
        "https://example..com/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com /",
        "https://%31%32%37.0.0.1/"
      })
  void allElseIsRefused(String url) {
    assertThat(OutboundUrl.problem(url, false)).isPresent();
  }

  @Test
  void aUrlHasALength() {
    String longest = "https://example.com/" + "a".repeat(2048 - 20);
    assertThat(OutboundUrl.problem(longest, false)).isEmpty();
    assertThat(OutboundUrl.problem(longest + "a", false)).isPresent();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0.0.0.0",
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:10::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1"
      })
  void noAddressOutsideThePublicInternetIsAllowed(String address) throws UnknownHostException {
    assertThat(OutboundAddress.isAllowed(InetAddress.getByName(address), false)).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.255.255",
        "172.32.0.1",
        "192.167.255.255",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2a00:1450:4001::1"
      })
  void publicAddressesAreAllowed(String address) throws UnknownHostException {
    assertThat(OutboundAddress.isAllowed(InetAddress.getByName(address), false)).isTrue();
  }

  @Test
  void developersReachTheirOwnMachineButNeverTheMetadataOfACloud() throws UnknownHostException {
    for (String near : new String[] {"127.0.0.1", "::1", "10.0.0.1", "fd12::1"}) {
      assertThat(OutboundAddress.isAllowed(InetAddress.getByName(near), true)).as(near).isTrue();
    }
    for (String never :
        new String[] {"169.254.169.254", "fd00:ec2::254", "0.0.0.0", "224.0.0.1", "fe80::1"}) {
      assertThat(OutboundAddress.isAllowed(InetAddress.getByName(never), true)).as(never).isFalse();
    }
    assertThat(OutboundUrl.problem("http://localhost:1234/hook", true)).isEmpty();
    assertThat(OutboundUrl.problem("http://127.0.0.1:1234/hook", true)).isEmpty();
    assertThat(OutboundUrl.problem("ftp://127.0.0.1/", true)).isPresent();
    assertThat(OutboundUrl.problem("https://169.254.169.254/", true)).isPresent();
  }
}
