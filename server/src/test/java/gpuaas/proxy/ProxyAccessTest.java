package gpuaas.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.proxy.ProxyLab.Service;
import gpuaas.web.Web.Jupyter;
import gpuaas.web.Web.State;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who gets through the proxy, what a lease is told, and what others are told instead. */
class ProxyAccessTest {

  private static final String COOKIE = "Cookie: gpuaas-" + ProxyLab.LEASE + "=" + ProxyLab.TOKEN;

  @TempDir private Path folder;

  private ProxyLab lab = ProxyLab.open();

  @AfterEach
  void close() {
    lab.close();
  }

  @Test
  void theTokenOpensInThreeWaysAndNothingElseDoes() throws Exception {
    try (Service service = lab.declare(Service.saying("inside"), true)) {
      assertThat(lab.get(service, "", ProxyLab.bearer())).startsWith("HTTP/1.1 200");
      assertThat(lab.get(service, "", "Authorization: token " + ProxyLab.TOKEN + "\r\n"))
          .endsWith("inside");
      assertThat(lab.get(service, "", COOKIE + "\r\n")).endsWith("inside");
      int let = service.heads.size();
      for (String field :
          List.of(
              "",
              "Authorization: Bearer " + ProxyLab.TOKEN + "x\r\n",
              "Authorization: Basic " + ProxyLab.TOKEN + "\r\n",
              "Authorization: Bearer " + ProxyLab.OTHER_TOKEN + "\r\n",
              "Cookie: gpuaas-" + ProxyLab.OTHER + "=" + ProxyLab.TOKEN + "\r\n",
              "Cookie: gpuaas-" + ProxyLab.LEASE + "=" + ProxyLab.OTHER_TOKEN + "\r\n")) {
        assertThat(lab.get(service, "", field)).as(field).startsWith("HTTP/1.1 401");
      }
      assertThat(lab.get(service, "?token=" + ProxyLab.OTHER_TOKEN)).startsWith("HTTP/1.1 401");
      assertThat(service.heads).hasSize(let);
    }
  }

  @Test
  void anAddressWithTheTokenIsTradedForACookie() throws Exception {
    // The token does not stay in the address bar, and the cookie is of this lease only.
    try (Service service = lab.declare(Service.saying("inside"), true)) {
      String answer = lab.get(service, "a%20b?x=1&token=" + ProxyLab.TOKEN + "&y=2");
      assertThat(answer)
          .startsWith("HTTP/1.1 302")
          .contains("Location: " + lab.path(service) + "a%20b?x=1&y=2\r\n")
          .contains(
              "Set-Cookie: gpuaas-"
                  + ProxyLab.LEASE
                  + "="
                  + ProxyLab.TOKEN
                  + "; Path=/"
                  + ProxyLab.LEASE
                  + "/; HttpOnly; SameSite=Lax\r\n");
      assertThat(service.heads).isEmpty();
      // Two slashes at its beginning would send the browser to another host.
      String odd = lab.raw("GET //evil.test/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
      assertThat(odd).startsWith("HTTP/1.1 404");
    }
  }

  @Test
  void aLeaseIsNotToldOurSecrets() throws Exception {
    try (Service service = lab.declare(Service.saying("inside"), true)) {
      lab.get(
          service,
          "app?q=1",
          COOKIE + "; theirs=1; gpuaas-" + ProxyLab.OTHER + "=" + ProxyLab.OTHER_TOKEN + "\r\n",
          ProxyLab.bearer(),
          "X-Forwarded-For: 6.6.6.6\r\nConnection: X-Secret\r\nX-Secret: 1\r\nTE: trailers\r\n");
      String head = service.heads.getFirst();
      assertThat(head)
          .startsWith("GET /app?q=1 HTTP/1.1\r\n")
          .contains("Cookie: theirs=1\r\n")
          .contains("X-Forwarded-For: 127.0.0.1\r\n", "X-Forwarded-Proto: http\r\n")
          .contains("X-Forwarded-Host: proxy.test\r\n")
          .contains("X-Forwarded-Prefix: /" + ProxyLab.LEASE + "/" + service.port() + "\r\n")
          .contains("Connection: close\r\n")
          .doesNotContain(ProxyLab.TOKEN, ProxyLab.OTHER_TOKEN, "6.6.6.6", "X-Secret", "TE:");
      lab.get(service, "", COOKIE + "\r\n", "Authorization: Basic dTpw\r\n");
      assertThat(service.heads.get(1)).contains("Authorization: Basic dTpw");
    }
  }

  @Test
  void aLeaseDoesNotReachBeyondItselfInTheBrowser() throws Exception {
    try (Service service =
        lab.declare(
            Service.saying(
                "inside",
                "Set-Cookie: a=1; Path=/; Domain=proxy.test; HttpOnly\r\n",
                "Set-Cookie: gpuaas-" + ProxyLab.OTHER + "=stolen; Path=/\r\n",
                "Set-Cookie: b=2; Path=/deep\r\n",
                "Clear-Site-Data: \"*\"\r\nService-Worker-Allowed: /\r\nX-Own: kept\r\n",
                "Location: /login\r\n"),
            true)) {
      String own = "/" + ProxyLab.LEASE + "/" + service.port();
      assertThat(lab.get(service, "", ProxyLab.bearer()))
          .contains("Set-Cookie: a=1; HttpOnly; Path=" + own + "/\r\n")
          .contains("Set-Cookie: b=2; Path=" + own + "/deep\r\n")
          .contains("Location: " + own + "/login\r\n")
          .contains("X-Own: kept\r\n")
          .doesNotContain("stolen", "Clear-Site-Data", "Service-Worker-Allowed", "Domain");
    }
  }

  @Test
  void pagesSayWhatToDo() throws Exception {
    String html = "Accept: text/html\r\n";
    int closed = freePort();
    lab.ports.add(new gpuaas.web.Web.Port(closed, true));
    assertThat(get(closed, ProxyLab.bearer(), html))
        .startsWith("HTTP/1.1 502")
        .contains("<h1>Nothing listens on port " + closed);
    assertThat(get(closed, ProxyLab.bearer()))
        .contains("Content-Type: application/json", "\"error\"", "\"detail\"");
    int free = freePort();
    String notDeclared =
        "GET /%s/%d/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n"
            .formatted(ProxyLab.LEASE, free, ProxyLab.bearer());
    assertThat(lab.raw(notDeclared))
        .startsWith("HTTP/1.1 404")
        .contains("Port " + free + " is not declared");
    assertThat(lab.raw(notDeclared.replace(ProxyLab.LEASE, "lease-000000000000")))
        .startsWith("HTTP/1.1 404")
        .contains("no such lease");
    lab.running = false;
    assertThat(get(closed, ProxyLab.bearer()))
        .startsWith("HTTP/1.1 503")
        .contains("is being prepared");
    lab.running = true;
    lab.jupyter = new Jupyter(true, State.FAILED, "it is not installed", 1, Instant.EPOCH);
    assertThat(lab.raw(notDeclared.replace("/" + free + "/", "/8888/")))
        .contains("Jupyter does not answer yet", "it is not installed");
  }

  @Test
  void addressesAreBroughtToTheirForm() throws Exception {
    try (Service service = lab.declare(Service.saying("inside"), false)) {
      String byId =
          lab.raw(
              "GET /%s/%d/x?y=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n"
                  .formatted(ProxyLab.ID, service.port(), ProxyLab.bearer()));
      assertThat(byId)
          .startsWith("HTTP/1.1 307")
          .contains("Location: " + lab.path(service) + "x?y=1\r\n");
      String noSlash =
          lab.raw(
              "GET /%s/%d HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n"
                  .formatted(ProxyLab.LEASE, service.port(), ProxyLab.bearer()));
      assertThat(noSlash).contains("Location: " + lab.path(service) + "\r\n");
      lab.get(service, "kept", ProxyLab.bearer());
      assertThat(service.heads.getFirst()).startsWith("GET " + lab.path(service) + "kept HTTP/1.1");
    }
  }

  @Test
  void withADomainEachPortHasAnOriginOfItsOwn() throws Exception {
    lab.close();
    ProxySettings plain = ProxySettings.standard();
    lab =
        new ProxyLab(
            new ProxySettings(
                plain.address(),
                0,
                Optional.of("https://web.test:8443"),
                "",
                Optional.of("leases.test"),
                Optional.empty(),
                plain.headLimit(),
                plain.keepAlive(),
                plain.answerLimit(),
                plain.idleLimit(),
                10,
                10),
            100);
    try (Service service =
        lab.declare(
            Service.saying("inside", "Set-Cookie: a=1; Path=/; Domain=leases.test\r\n"), true)) {
      String host = service.port() + "-" + ProxyLab.LEASE + ".leases.test";
      assertThat(lab.proxy.addresses().url(ProxyLab.LEASE, service.port()))
          .isEqualTo("https://" + host + ":8443/");
      String get = "GET /x%s HTTP/1.1\r\nHost: " + host + ":8443\r\nConnection: close\r\n%s\r\n";
      assertThat(lab.raw(get.formatted("", ProxyLab.bearer())))
          .endsWith("inside")
          .contains("Set-Cookie: a=1; Path=/\r\n");
      assertThat(service.heads.getFirst()).startsWith("GET /x HTTP/1.1");
      assertThat(lab.raw(get.formatted("?token=" + ProxyLab.TOKEN, "")))
          .contains("; Path=/; HttpOnly; SameSite=Lax; Secure\r\n");
      assertThat(lab.get(service, "", ProxyLab.bearer())).startsWith("HTTP/1.1 404");
    }
  }

  @Test
  void whoGuessesIsNotLookedAtForAWhile() throws Exception {
    lab.close();
    lab = new ProxyLab(ProxySettings.standard(), 3);
    try (Service service = lab.declare(Service.saying("inside"), true)) {
      for (int i = 0; i < 3; i++) {
        assertThat(lab.get(service, "?token=wrong" + i)).startsWith("HTTP/1.1 401");
      }
      assertThat(lab.get(service, "", ProxyLab.bearer()))
          .startsWith("HTTP/1.1 429")
          .contains("Retry-After: ");
    }
  }

  @Test
  void aLeaseHasSoManyConnectionsAndNoMore() throws Exception {
    lab.close();
    lab = new ProxyLab(ProxyLab.settings(Duration.ofSeconds(5), Duration.ofSeconds(5), 1), 100);
    try (Service service =
            lab.declare(
                new Service((_, in, out) -> {
                  ProxyTest.write(out, "HTTP/1.1 200 OK\r\n\r\nx");
                  in.read();
                }),
                true);
        java.net.Socket first = lab.connect()) {
      ProxyTest.write(
          first.getOutputStream(),
          "GET " + lab.path(service) + " HTTP/1.1\r\nHost: h\r\n" + ProxyLab.bearer() + "\r\n");
      assertThat(first.getInputStream().readNBytes(12)).hasSize(12);
      assertThat(lab.get(service, "", ProxyLab.bearer()))
          .startsWith("HTTP/1.1 503")
          .contains("too many connections");
    }
  }

  @Test
  void byHttpsWithAKeyOfOnesOwn() throws Exception {
    Path keys = folder.resolve("keys.p12");
    Path password = Files.writeString(folder.resolve("password"), "changeit\n");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "proxy",
                "-keyalg",
                "EC",
                "-dname",
                "CN=127.0.0.1",
                "-ext",
                "san=ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-storepass",
                "changeit",
                "-keystore",
                keys.toString())
            .inheritIO()
            .start();
    assertThat(keytool.waitFor()).isZero();
    lab.close();
    ProxySettings plain = ProxySettings.standard();
    lab =
        new ProxyLab(
            new ProxySettings(
                plain.address(),
                0,
                Optional.empty(),
                "127.0.0.1",
                Optional.empty(),
                Optional.of(new ProxySettings.KeyStoreFile(keys, password)),
                plain.headLimit(),
                plain.keepAlive(),
                plain.answerLimit(),
                plain.idleLimit(),
                10,
                10),
            100);
    KeyStore trusted = KeyStore.getInstance(keys.toFile(), "changeit".toCharArray());
    KeyStore certificates = KeyStore.getInstance("PKCS12");
    certificates.load(null, null);
    certificates.setCertificateEntry("proxy", trusted.getCertificate("proxy"));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(certificates);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    try (Service service = lab.declare(Service.saying("inside"), true);
        SSLSocket socket =
            (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", lab.proxy.port())) {
      assertThat(lab.proxy.addresses().publicUrl()).startsWith("https://127.0.0.1:");
      ProxyTest.write(
          socket.getOutputStream(),
          "GET "
              + lab.path(service)
              + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
              + ProxyLab.bearer()
              + "\r\n");
      assertThat(new String(socket.getInputStream().readAllBytes())).endsWith("inside");
      assertThat(service.heads.getFirst()).contains("X-Forwarded-Proto: https");
    }
  }

  private String get(int port, String... fields) throws IOException {
    return lab.raw(
        "GET /%s/%d/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n"
            .formatted(ProxyLab.LEASE, port, String.join("", fields)));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
