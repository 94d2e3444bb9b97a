package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import gpuaas.access.KeyPairs;
import gpuaas.base.SecretBox;
import gpuaas.db.DeploymentFactStore;
import gpuaas.http.Dialect;
import gpuaas.http.Route;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Who is let in, and to what. */
class AuthTest {

  private static final String ME = "/api/v1/me";

  private static TestServer server;
  private static String token;
  private static String admin;
  private static JWTClaimsSet claims;
  private static RSAKey signingKey;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "8xH200"));
    token = server.token("dev-user", "dev123");
    admin = server.token("dev-admin", "admin123");
    claims = SignedJWT.parse(token).getJWTClaimsSet();
    String sealed =
        DeploymentFactStore.getOrMake(server.running().database(), "idp-signing-key", () -> "none");
    SecretBox secrets = SecretBox.open(server.data().resolve("secret.key"));
    signingKey = RSAKey.parse(secrets.unseal(sealed, "idp-signing-key"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  // --- tokens ---

  private static void refused(String authorization, String code) {
    Answer answer =
        TestServer.send("GET", server.apiUrl() + ME, Map.of("Authorization", authorization), "");
    assertThat(answer.status()).as(authorization).isEqualTo(401);
    assertThat(answer.json().path("code").asText()).as(authorization).isEqualTo(code);
    assertThat(answer.headers()).containsEntry("www-authenticate", "Bearer");
  }

  private static JWTClaimsSet.Builder claims() {
    return new JWTClaimsSet.Builder(claims);
  }

  private static String signed(JWSAlgorithm algorithm, JWSSigner signer, JWTClaimsSet set)
      throws JOSEException {
    SignedJWT made =
        new SignedJWT(new JWSHeader.Builder(algorithm).keyID(signingKey.getKeyID()).build(), set);
    made.sign(signer);
    return made.serialize();
  }

  private static String ours(JWTClaimsSet set) throws JOSEException {
    return signed(JWSAlgorithm.RS256, new RSASSASigner(signingKey), set);
  }

  @Test
  void aTokenMadeHereInTheTestIsAcceptedSoThatTheOthersAreRefusedForTheirFault() throws Exception {
    assertThat(server.call("GET", ME, ours(claims().build()), "").status()).isEqualTo(200);
    Answer lower =
        TestServer.send(
            "GET", server.apiUrl() + ME, Map.of("Authorization", "bearer " + token), "");
    assertThat(lower.status()).as("the scheme's case does not matter").isEqualTo(200);
  }

  @Test
  void noTokenIsMissing() {
    Answer answer = server.call("GET", ME, "", "");
    assertThat(answer.status()).isEqualTo(401);
    assertThat(answer.json().path("code").asText()).isEqualTo("token_missing");
  }

  @Test
  void whatIsNoTokenIsInvalid() {
    for (String authorization :
        List.of(
            "Bearer x",
            "Bearer ",
            "Bearer",
            "Bearer a.b.c",
            "Bearer ..",
            "Basic ZGV2LXVzZXI6ZGV2MTIz",
            token,
            "Bearer " + token + "x",
            "Bearer " + token + " " + token,
            "Bearer " + "x".repeat(20_000))) {
      refused(authorization, "token_invalid");
    }
  }

  @Test
  void onlyOurSignatureCounts() throws Exception {
    RSAKey other = new RSAKeyGenerator(2048).keyID(signingKey.getKeyID()).generate();
    refused(
        "Bearer " + signed(JWSAlgorithm.RS256, new RSASSASigner(other), claims), "token_invalid");
    refused("Bearer " + new PlainJWT(claims).serialize(), "token_invalid");
    byte[] publicKey = signingKey.toRSAPublicKey().getEncoded();
    refused(
        "Bearer " + signed(JWSAlgorithm.HS256, new MACSigner(publicKey), claims), "token_invalid");
    refused(
        "Bearer " + signed(JWSAlgorithm.RS512, new RSASSASigner(signingKey), claims),
        "token_invalid");
    String[] parts = token.split("\\.");
    String altered = ours(claims().subject(UUID.randomUUID().toString()).build()).split("\\.")[1];
    refused("Bearer " + parts[0] + "." + altered + "." + parts[2], "token_invalid");
    refused("Bearer " + parts[0] + "." + parts[1] + ".", "token_invalid");
  }

  @Test
  void claimsMustBeForUsAndNow() throws Exception {
    Date past = Date.from(Instant.parse("2020-01-01T00:00:00Z"));
    Date future = Date.from(Instant.parse("2120-01-01T00:00:00Z"));
    refused("Bearer " + ours(claims().expirationTime(past).build()), "token_expired");
    for (JWTClaimsSet bad :
        List.of(
            claims().expirationTime(null).build(),
            claims().notBeforeTime(future).expirationTime(future).build(),
            claims().audience("another").build(),
            claims().audience((String) null).build(),
            claims().issuer("https://elsewhere.example").build(),
            claims().issuer(null).build(),
            claims().subject(null).build(),
            claims().subject("dev-user").build(),
            claims().subject(UUID.randomUUID().toString()).build(),
            claims().jwtID(null).build())) {
      refused("Bearer " + ours(bad), "token_invalid");
    }
  }

  @Test
  void rolesInATokenAreNotBelieved() throws Exception {
    // What somebody may do is looked up here; a token says who it is.
    String grown = ours(claims().claim("realm_access", Map.of("roles", List.of("admin"))).build());
    assertThat(server.call("GET", ME, grown, "").json().path("roles")).hasSize(1);
  }

  @Test
  void everyRouteForCallersWantsAToken() {
    Dialect gpuaas = server.running().dialects().getFirst();
    List<Route> routes =
        gpuaas.routes().stream().filter(route -> route.access() == Route.Access.CALLER).toList();
    assertThat(routes).hasSizeGreaterThan(8);
    for (Route route : routes) {
      String path = route.path().replaceAll("\\{[^}]*}", UUID.randomUUID().toString());
      Answer answer = server.call(route.method(), path, "", "{}");
      assertThat(answer.status()).as(route.method() + " " + path).isEqualTo(401);
      assertThat(answer.json().path("code").asText()).isEqualTo("token_missing");
    }
  }

  // --- tenants ---

  @Test
  void whatIsAnothersIsNotThere() {
    String adminKey = server.addKey(admin, KeyPairs.make("admin").publicKey().line());
    String userKey = server.addKey(token, KeyPairs.make("user").publicKey().line());
    String theirs = server.allocate(admin, 1, adminKey);
    String mine = server.allocate(token, 1, userKey);
    server.awaitStatus(admin, theirs, "active");
    server.awaitStatus(token, mine, "active");
    for (String[] request :
        new String[][] {
          {"GET", "/api/v1/allocations/" + theirs, "allocation_not_found"},
          {"GET", "/api/v1/allocations/" + theirs + "/timeline", "allocation_not_found"},
          {"POST", "/api/v1/allocations/" + theirs + "/release", "allocation_not_found"},
          {"POST", "/api/v1/allocations/" + theirs + "/terminal-token", "allocation_not_found"},
          {"GET", "/api/v1/ssh-keys/" + adminKey, "ssh_key_not_found"},
          {"DELETE", "/api/v1/ssh-keys/" + adminKey, "ssh_key_not_found"},
        }) {
      Answer answer = server.call(request[0], request[1], token, "");
      assertThat(answer.status()).as(request[1]).isEqualTo(404);
      assertThat(answer.json().path("code").asText()).isEqualTo(request[2]);
      assertThat(answer.body()).doesNotContain(theirs).doesNotContain(adminKey);
    }
    assertThat(server.call("GET", "/api/v1/allocations", token, "").body()).doesNotContain(theirs);
    assertThat(server.call("GET", "/api/v1/ssh-keys", token, "").body()).doesNotContain(adminKey);
    assertThat(server.call("GET", "/api/v1/allocations?cursor=" + theirs, token, "").status())
        .isIn(400, 404);
    server.awaitStatus(admin, theirs, "active");
    assertThat(server.call("GET", "/api/v1/allocations/" + mine, admin, "").status())
        .isEqualTo(200);
    assertThat(server.call("GET", "/api/v1/ssh-keys/" + userKey, admin, "").status())
        .isEqualTo(200);
    for (String id : List.of(mine, theirs)) {
      server.call("POST", "/api/v1/allocations/" + id + "/release", admin, "");
      server.awaitStatus(admin, id, "released");
    }
  }

  // --- the identity provider ---

  private static Answer grant(String... pairs) {
    StringBuilder form = new StringBuilder("client_id=gpuaas-api&client_secret=dev-client-secret");
    for (int i = 0; i < pairs.length; i += 2) {
      form.append('&').append(pairs[i]).append('=').append(pairs[i + 1]);
    }
    return TestServer.send(
        "POST",
        server.idpUrl() + "/realms/gpuaas/protocol/openid-connect/token",
        Map.of("Content-Type", "application/x-www-form-urlencoded"),
        form.toString());
  }

  private static void no(Answer answer, int status, String error) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(status);
    assertThat(answer.json().path("error").asText()).isEqualTo(error);
    assertThat(answer.json().path("error_description").asText()).isNotBlank();
    assertThat(answer.body()).doesNotContain("access_token");
  }

  @Test
  void wrongPasswordsClientsAndGrantsAreRefused() {
    no(
        grant("grant_type", "password", "username", "dev-user", "password", "x"),
        401,
        "invalid_grant");
    no(
        grant("grant_type", "password", "username", "nobody", "password", "x"),
        401,
        "invalid_grant");
    no(grant("grant_type", "password"), 401, "invalid_grant");
    no(
        grant("grant_type", "password", "username", "u".repeat(100_000), "password", "x"),
        401,
        "invalid_grant");
    no(grant("grant_type", "password", "username", "a%00b", "password", "x"), 401, "invalid_grant");
    no(grant("grant_type", "magic"), 400, "unsupported_grant_type");
    no(grant(), 400, "invalid_request");
    no(grant("client_secret", "wrong", "grant_type", "password"), 401, "invalid_client");
    no(grant("client_id", "other", "grant_type", "password"), 401, "invalid_client");
    no(grant("grant_type", "password", "username", "%zz", "password", "x"), 400, "invalid_request");
    no(grant("grant_type", "refresh_token", "refresh_token", "made-up"), 401, "invalid_grant");
  }

  @Test
  void guessingIsSlowedDown() {
    Answer last = null;
    for (int i = 0; i <= 60; i++) {
      last = grant("grant_type", "magic", "username", "guessed");
    }
    assertThat(last.status()).isEqualTo(429);
    assertThat(last.json().path("error").asText()).isEqualTo("slow_down");
    assertThat(Integer.parseInt(last.headers().get("retry-after"))).isPositive();
    assertThat(grant("grant_type", "magic", "username", "another").status()).isEqualTo(400);
  }

  @Test
  void aClientMayNameItselfInAHeader() {
    String basic =
        java.util.Base64.getEncoder().encodeToString("gpuaas-api:dev-client-secret".getBytes());
    Answer answer =
        TestServer.send(
            "POST",
            server.idpUrl() + "/realms/gpuaas/protocol/openid-connect/token",
            Map.of("Authorization", "Basic " + basic),
            "grant_type=password&username=dev-user&password=dev123");
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.headers()).containsEntry("cache-control", "no-store");
  }

  @Test
  void aRefreshTokenThatIsUsedTwiceEndsAllOfThem() {
    JsonNode first =
        grant("grant_type", "password", "username", "dev-admin", "password", "admin123").json();
    String old = first.path("refresh_token").asText();
    Answer second = grant("grant_type", "refresh_token", "refresh_token", old);
    assertThat(second.status()).isEqualTo(200);
    String next = second.json().path("refresh_token").asText();
    assertThat(next).isNotEqualTo(old);
    assertThat(server.call("GET", ME, second.json().path("access_token").asText(), "").status())
        .isEqualTo(200);
    no(grant("grant_type", "refresh_token", "refresh_token", old), 401, "invalid_grant");
    no(grant("grant_type", "refresh_token", "refresh_token", next), 401, "invalid_grant");
  }

  @Test
  void keysAndDiscoveryAreThereForOthers() throws Exception {
    String realm = server.idpUrl() + "/realms/gpuaas";
    Answer certs = TestServer.send("GET", realm + "/protocol/openid-connect/certs", Map.of(), "");
    JsonNode key = certs.json().path("keys").path(0);
    assertThat(key.propertyStream().map(Map.Entry::getKey))
        .as("and nothing private")
        .containsExactlyInAnyOrder("kty", "e", "n", "kid", "alg", "use");
    assertThat(key.path("kid").asText()).isEqualTo(SignedJWT.parse(token).getHeader().getKeyID());
    Answer discovery =
        TestServer.send("GET", realm + "/.well-known/openid-configuration", Map.of(), "");
    JsonNode document = discovery.json();
    String issuer = document.path("issuer").asText();
    assertThat(issuer).isEqualTo(claims.getIssuer());
    assertThat(document.path("token_endpoint").asText())
        .isEqualTo(issuer + "/protocol/openid-connect/token");
    assertThat(document.path("jwks_uri").asText())
        .isEqualTo(issuer + "/protocol/openid-connect/certs");
  }

  @Test
  void withoutDevelopmentItsUsersAreNobody() throws Exception {
    try (TestServer strict =
        TestServer.start(
            Map.of(
                "GPUAAS_PROVIDER_LOCAL_GPUS",
                "1xH200",
                "GPUAAS_DEVELOPMENT",
                "false",
                "GPUAAS_IDP_CLIENT_SECRET",
                "a-secret-of-our-own"))) {
      String url = strict.idpUrl() + "/realms/gpuaas/protocol/openid-connect/token";
      String form = "grant_type=password&client_id=gpuaas-api&client_secret=";
      for (String user :
          List.of("username=dev-user&password=dev123", "username=dev-admin&password=admin123")) {
        no(
            TestServer.send("POST", url, Map.of(), form + "a-secret-of-our-own&" + user),
            401,
            "invalid_grant");
        no(
            TestServer.send("POST", url, Map.of(), form + "dev-client-secret&" + user),
            401,
            "invalid_client");
      }
    }
  }
}
