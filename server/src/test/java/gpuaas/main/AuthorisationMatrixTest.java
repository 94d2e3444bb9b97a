package gpuaas.main;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import gpuaas.base.Action;
import gpuaas.base.Role;
import gpuaas.base.SecretBox;
import gpuaas.base.Standing;
import gpuaas.db.DeploymentFactStore;
import gpuaas.http.Dialect;
import gpuaas.http.Route;
import gpuaas.main.TestServer.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/**
 * S1: every route of every dialect, and everybody who might come. What each is told follows from
 * the table of permissions and the action that the route names; a route that names none, and is not
 * listed here as open to anybody, fails.
 */
class AuthorisationMatrixTest {

  /** What anybody may ask: health, documents, prices, and the ways to say who one is. */
  private static final Set<String> OPEN =
      Set.of(
          "gpuaas-api GET /healthz",
          "gpuaas-api GET /readyz",
          "gpuaas-api GET /metrics",
          "gpuaas-api GET /docs",
          "gpuaas-api GET /docs/{file}",
          "gpuaas-api GET /openapi.yaml",
          "gpuaas-api GET /errors",
          "gpuaas-api POST /api/v1/auth/sa/token",
          "gpuaas-api GET /api/v1/auth/oidc/authorize",
          "gpuaas-api POST /api/v1/auth/oidc/exchange",
          "gpuaas-api POST /api/v1/auth/token/refresh",
          "gpuaas-api POST /api/v1/auth/personal/sign-in",
          "gpuaas-api POST /api/v1/auth/personal/sign-up",
          "idp GET /realms/gpuaas/protocol/openid-connect/auth",
          "idp POST /realms/gpuaas/protocol/openid-connect/auth",
          "idp GET /realms/gpuaas/protocol/openid-connect/logout",
          "idp POST /realms/gpuaas/protocol/openid-connect/logout",
          "idp POST /realms/gpuaas/protocol/openid-connect/token",
          "idp GET /realms/gpuaas/protocol/openid-connect/certs",
          "idp GET /realms/gpuaas/.well-known/openid-configuration",
          "gpudev GET /",
          "gpudev GET /health",
          "gpudev GET /openapi.json",
          "gpudev GET /docs",
          "gpudev GET /docs/{file}",
          "gpudev GET /redoc",
          "gpudev GET /redoc/redoc.standalone.js",
          "gpudev POST /v1/auth/aws-login",
          "gpudev POST /v1/auth/aws-login/presigned",
          "gpudev POST /v1/auth/oidc-login",
          "gpuai GET /v1/health",
          "gpuai GET /v1/openapi.json",
          "gpuai GET /v1/pricing",
          "gpuai GET /v1/gpu-types",
          "gpuai-sdk GET /sdk/v1/health",
          "gpuai-sdk GET /sdk/v1/openapi.json",
          "gpuai-sdk GET /sdk/v1/pricing",
          "gpuai-sdk GET /sdk/v1/gpu-types",
          "shopper GET /health",
          "shopper GET /ready");

  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private static TestServer server;
  private static String owner;
  private static String project;

  /** Somebody who comes; no standing: they are nobody. */
  private record Principal(String name, Optional<String> credential, Optional<Standing> standing) {}

  private record Asked(Dialect dialect, Route route) {
    @Override
    public String toString() {
      return dialect.name() + " " + route.method() + " " + route.path();
    }
  }

  @BeforeAll
  static void start() throws Exception {
    server =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS", "2xH200",
                "GPUAAS_SHOPPER_KEY", "a key of the matrix",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_PER_SECOND", "100000",
                "GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_BURST", "100000",
                "GPUAAS_RATE_LIMIT_TERMINAL_TOKEN_REQUESTS_PER_MINUTE", "100000"));
    owner = server.token("dev-user", "dev123");
    project = made("/api/v1/projects", owner, "{\"name\": \"Matrix\"}").path("id").asText();
    byDefault(owner);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static JsonNode made(String path, String token, String body) {
    Answer answer = server.call("POST", path, token, body);
    assertThat(answer.status()).as(path + answer.body()).isBetween(200, 204);
    return answer.status() == 204 ? NullNode.instance : answer.json();
  }

  /** The other dialects know no projects: there everybody acts in their default one. */
  private static void byDefault(String token) {
    made("/api/v1/projects/" + project + "/default", token, "");
  }

  private static String person(String name) {
    server.running().admittance().identities().ensure(name, "a long password", false);
    return server.token(name, "a long password");
  }

  private static Principal member(Role role) {
    String token = person("matrix-" + role.text());
    JsonNode invitation =
        made(
            "/api/v1/projects/" + project + "/invitations",
            owner,
            "{\"role\": \"" + role.text() + "\"}");
    made(
        "/api/v1/invitations/accept",
        token,
        "{\"token\": \"" + invitation.path("token").asText() + "\"}");
    byDefault(token);
    return new Principal(
        role.text(),
        Optional.of(token),
        Optional.of(new Standing(false, Optional.empty(), Optional.of(role), Optional.empty())));
  }

  private static Principal accountWithoutScope() {
    String path = "/api/v1/projects/" + project + "/service-accounts";
    JsonNode made =
        made(
            path,
            owner,
            "{\"name\": \"matrix\", \"scopes\": [\"instances:none\"], \"algorithm\":"
                + " \"client_secret\"}");
    String token =
        made(
                "/api/v1/auth/sa/token",
                owner,
                "{\"sa_id\": \"%s\", \"key_id\": \"%s\", \"client_secret\": \"%s\"}"
                    .formatted(
                        made.path("sa_id").asText(),
                        made.path("key_id").asText(),
                        made.path("client_secret").asText()))
            .path("access_token")
            .asText();
    Set<Action> only = Set.of(Action.SELF_READ, Action.CATALOG_READ);
    return new Principal(
        "service account without scope",
        Optional.of(token),
        Optional.of(Standing.inProject(Role.MEMBER, Optional.of(only))));
  }

  private static String expired() throws Exception {
    String sealed =
        DeploymentFactStore.getOrMake(server.running().database(), "idp-signing-key", () -> "none");
    RSAKey key =
        RSAKey.parse(
            SecretBox.open(server.data().resolve("secret.key")).unseal(sealed, "idp-signing-key"));
    JWTClaimsSet claims =
        new JWTClaimsSet.Builder(SignedJWT.parse(owner).getJWTClaimsSet())
            .expirationTime(Date.from(Instant.now().minusSeconds(600)))
            .build();
    SignedJWT token =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(key.getKeyID()).build(), claims);
    token.sign(new RSASSASigner(key));
    return token.serialize();
  }

  private static String revoked() {
    JsonNode key = made("/api/v1/api-keys", owner, "{\"name\": \"revoked\"}");
    server.call("DELETE", "/api/v1/api-keys/" + key.path("id").asText(), owner, "");
    return key.path("key").asText();
  }

  private static List<Principal> principals() throws Exception {
    List<Principal> all = new ArrayList<>();
    all.add(new Principal("nobody", Optional.empty(), Optional.empty()));
    all.add(new Principal("malformed", Optional.of("not a credential of ours"), Optional.empty()));
    all.add(new Principal("expired", Optional.of(expired()), Optional.empty()));
    all.add(new Principal("revoked", Optional.of(revoked()), Optional.empty()));
    for (Role role : Role.values()) {
      all.add(member(role));
    }
    all.add(new Principal("tenant owner", Optional.of(owner), Optional.of(Standing.OWNER)));
    all.add(
        new Principal(
            "another tenant's owner",
            Optional.of(person("matrix-stranger")),
            Optional.of(Standing.OWNER)));
    all.add(accountWithoutScope());
    String admin = server.token("dev-admin", "admin123");
    all.add(
        new Principal(
            "platform administrator", Optional.of(admin), Optional.of(Standing.PLATFORM_ADMIN)));
    return all;
  }

  @Test
  @DisplayName("S1: every route is listed as open, or names what it needs")
  void everyRouteIsListedOrNamesWhatItNeeds() {
    Set<String> open = new TreeSet<>();
    List<String> silent = new ArrayList<>();
    for (Dialect dialect : server.running().dialects()) {
      for (Route route : dialect.routes()) {
        String name = new Asked(dialect, route).toString();
        switch (route.access()) {
          case PUBLIC -> open.add(name);
          case CALLER -> {
            if (route.needs().isEmpty()) {
              silent.add(name);
            }
          }
        }
      }
    }
    assertThat(silent).isEmpty();
    assertThat(open).isEqualTo(new TreeSet<>(OPEN));
  }

  @Test
  @DisplayName("S1: everybody is told what the table of permissions says, on every route")
  void everybodyIsToldWhatTheTableSays() throws Exception {
    List<Principal> principals = principals();
    List<String> wrong = new ArrayList<>();
    List<Asked> all = new ArrayList<>();
    for (Dialect dialect : server.running().dialects()) {
      dialect.routes().stream()
          .filter(route -> route.access() != Route.Access.PUBLIC)
          .forEach(route -> all.add(new Asked(dialect, route)));
    }
    // Whoever has left is somebody else in what comes after, and whoever has logged out nobody.
    all.sort(
        Comparator.comparing((Asked asked) -> asked.route().path().endsWith("/logout"))
            .thenComparing(asked -> asked.route().path().endsWith("/leave")));
    int calls = 0;
    for (Asked asked : all) {
      for (Principal principal : principals) {
        int status = status(asked.dialect(), asked.route(), principal);
        calls++;
        if (!isRight(asked.dialect(), asked.route(), principal, status)) {
          wrong.add(asked + ": " + principal.name() + " is told " + status);
        }
      }
    }
    System.out.printf(
        Locale.ROOT,
        "authorisation matrix: %d routes x %d principals = %d calls%n",
        all.size(),
        principals.size(),
        calls);
    assertThat(wrong).isEmpty();
  }

  private static boolean isRight(Dialect dialect, Route route, Principal principal, int status) {
    if (principal.standing().isEmpty()) {
      // The documents of GPU Dev tell those apart whose key once was good.
      boolean toldApart = dialect.name().equals("gpudev") && status == 403;
      return status == 401
          || (toldApart && Set.of("revoked", "expired").contains(principal.name()));
    }
    if (principal.name().startsWith("another") && route.path().contains("{project_id}")) {
      return status == 404;
    }
    boolean allowed = principal.standing().get().allows(route.needs().orElseThrow());
    // Without a market there are no templates, which the document answers with 500.
    boolean crashed = status == 500 && !route.path().contains("templates");
    return allowed ? status != 401 && status != 403 && !crashed : status == 403;
  }

  private static int status(Dialect dialect, Route route, Principal principal)
      throws IOException, InterruptedException {
    String path =
        route
            .path()
            .replace("{project_id}", project)
            .replaceAll("\\{[^}]*}", UUID.randomUUID().toString());
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(url(dialect) + path))
            .timeout(Duration.ofSeconds(30))
            .method(
                route.method(),
                route.method().equals("GET")
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofString("{}"))
            .header("Content-Type", "application/json");
    principal
        .credential()
        .ifPresent(credential -> request.header("Authorization", "Bearer " + credential));
    HttpResponse<InputStream> answer =
        HTTP.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    answer.body().close(); // some never end
    return answer.statusCode();
  }

  private static String url(Dialect dialect) {
    return switch (dialect.name()) {
      case "gpuaas-api" -> server.apiUrl();
      case "idp" -> server.idpUrl();
      case "gpudev" -> server.gpudevUrl();
      case "shopper" -> server.shopperUrl();
      default -> server.gpuaiUrl();
    };
  }
}
