package gpuaas.gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import gpuaas.identity.SigningAlgorithm;
import gpuaas.main.TestServer;
import gpuaas.main.TestServer.Answer;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.interfaces.ECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/** S6: what programs prove who they are by, and everything that proves nothing. */
class ServiceAccountTest {

  private static final String TOKEN = "/api/v1/auth/sa/token";

  private static TestServer server;
  private static String owner;
  private static String path;

  @BeforeAll
  static void start() throws Exception {
    server = TestServer.start(Map.of("GPUAAS_PROVIDER_LOCAL_GPUS", "2xH200"));
    owner = server.token("dev-user", "dev123");
    String project = server.call("GET", "/api/v1/me", owner, "").json().path("project_id").asText();
    path = "/api/v1/projects/" + project + "/service-accounts";
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private record Account(String id, String keyId, String secret) {
    PrivateKey key(String type) throws Exception {
      String body = secret.replaceAll("-----[A-Z ]+-----", "");
      return KeyFactory.getInstance(type)
          .generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(body)));
    }
  }

  private static Account account(String name, String more) {
    Answer made = server.call("POST", path, owner, "{\"name\": \"" + name + "\"" + more + "}");
    assertThat(made.status()).as(made.body()).isEqualTo(201);
    return account(made.json());
  }

  private static Account account(JsonNode made) {
    return new Account(
        made.path("sa_id").asText(),
        made.path("key_id").asText(),
        made.path("private_key_pem").asText(made.path("client_secret").asText()));
  }

  /** The claims of the document's example. */
  private static JWTClaimsSet.Builder claims(Account account) {
    Instant now = Instant.now();
    return new JWTClaimsSet.Builder()
        .issuer(account.id())
        .subject(account.id())
        .audience("gpuaas-api")
        .issueTime(Date.from(now))
        .expirationTime(Date.from(now.plusSeconds(60)))
        .claim("kid", account.keyId());
  }

  private static String signed(
      JWSAlgorithm algorithm, String keyId, JWTClaimsSet claims, JWSSigner signer)
      throws Exception {
    SignedJWT jwt = new SignedJWT(new JWSHeader.Builder(algorithm).keyID(keyId).build(), claims);
    jwt.sign(signer);
    return jwt.serialize();
  }

  private static String rs256(Account account, UnaryOperator<JWTClaimsSet.Builder> change)
      throws Exception {
    return signed(
        JWSAlgorithm.RS256,
        account.keyId(),
        change.apply(claims(account)).build(),
        new RSASSASigner(account.key("RSA")));
  }

  private static Answer exchange(String account, String assertion) {
    return TestServer.send(
        "POST",
        server.apiUrl() + TOKEN,
        Map.of("Content-Type", "application/json"),
        "{\"sa_id\": \"" + account + "\", \"assertion\": \"" + assertion + "\"}");
  }

  private static String opens(Answer answer) {
    assertThat(answer.status()).as(answer.body()).isEqualTo(200);
    String token = answer.json().path("access_token").asText();
    assertThat(server.call("GET", "/api/v1/allocations", token, "").status()).isEqualTo(200);
    return token;
  }

  private static void refused(String why, Account account, String assertion) {
    Answer answer = exchange(account.id(), assertion);
    assertThat(answer.status()).as(why + ": " + answer.body()).isEqualTo(401);
    assertThat(answer.json().path("code").asText()).as(why).isEqualTo("token_invalid");
  }

  @Test
  @DisplayName("S6: the document's assertion gets a token for 900 seconds")
  void theDocumentsExampleGetsATokenFor900Seconds() throws Exception {
    Account account = account("document", "");
    Answer answer = exchange(account.id(), rs256(account, it -> it));
    assertThat(answer.json().path("expires_in").asLong()).isEqualTo(900);
    String token = opens(answer);
    JsonNode me = server.call("GET", "/api/v1/me", token, "").json();
    assertThat(me.path("username").asText()).isEqualTo(account.id());
    assertThat(me.path("principal_type").asText()).isEqualTo("service_account");
    assertThat(me.path("project_role").asText()).isEqualTo("member");
  }

  @Test
  @DisplayName("S6: every algorithm that is offered, and no other")
  void everyAlgorithmThatIsOffered() throws Exception {
    Account ec = account("elliptic", ", \"algorithm\": \"ES256\"");
    opens(
        exchange(
            ec.id(),
            signed(
                JWSAlgorithm.ES256,
                ec.keyId(),
                claims(ec).build(),
                new ECDSASigner((ECPrivateKey) ec.key("EC")))));
    Account ed = account("edwards", ", \"algorithm\": \"EdDSA\"");
    opens(exchange(ed.id(), edDsa(ed)));
    KeyPair own = SigningAlgorithm.ES256.generate();
    String pem =
        "-----BEGIN PUBLIC KEY-----\\n"
            + Base64.getEncoder().encodeToString(own.getPublic().getEncoded())
            + "\\n-----END PUBLIC KEY-----\\n";
    Account theirs = account("their own", ", \"public_key\": \"" + pem + "\"");
    assertThat(theirs.secret()).isEmpty();
    opens(
        exchange(
            theirs.id(),
            signed(
                JWSAlgorithm.ES256,
                theirs.keyId(),
                claims(theirs).build(),
                new ECDSASigner((ECPrivateKey) own.getPrivate()))));
    Account secret = account("secret", ", \"algorithm\": \"client_secret\"");
    opens(bySecret(secret, secret.secret()));
    assertThat(bySecret(secret, secret.secret() + "x").status()).isEqualTo(401);
  }

  private static String edDsa(Account account) throws Exception {
    JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.EdDSA).keyID(account.keyId()).build();
    String message =
        header.toBase64URL()
            + "."
            + new Payload(claims(account).build().toJSONObject()).toBase64URL();
    Signature signature = Signature.getInstance("Ed25519");
    signature.initSign(account.key("Ed25519"));
    signature.update(message.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    return message + "." + Base64URL.encode(signature.sign());
  }

  private static Answer bySecret(Account account, String secret) {
    return TestServer.send(
        "POST",
        server.apiUrl() + TOKEN,
        Map.of("Content-Type", "application/json"),
        "{\"sa_id\": \"%s\", \"key_id\": \"%s\", \"client_secret\": \"%s\"}"
            .formatted(account.id(), account.keyId(), secret));
  }

  @Test
  @DisplayName("S6: a wrong audience, lifetime, name or time proves nothing")
  void whatIsSaidWronglyProvesNothing() throws Exception {
    Account account = account("wrong", "");
    Account other = account("other", "");
    Instant now = Instant.now();
    opens(
        exchange(
            account.id(), rs256(account, it -> it))); // so that the others fail for their fault
    refused("audience", account, rs256(account, it -> it.audience("somebody-else")));
    refused("no audience", account, rs256(account, it -> it.audience((String) null)));
    refused("issuer", account, rs256(account, it -> it.issuer(other.id())));
    refused("subject", account, rs256(account, it -> it.subject(other.id())));
    refused("another account's assertion", other, rs256(account, it -> it));
    refused("claim names another key", account, rs256(account, it -> it.claim("kid", "key-x")));
    refused(
        "too old",
        account,
        rs256(account, it -> it.issueTime(at(now, -300)).expirationTime(at(now, -120))));
    refused(
        "from the future",
        account,
        rs256(account, it -> it.issueTime(at(now, 300)).expirationTime(at(now, 360))));
    refused("not yet", account, rs256(account, it -> it.notBeforeTime(at(now, 300))));
    refused("too long", account, rs256(account, it -> it.expirationTime(at(now, 3600))));
    refused("no end", account, rs256(account, it -> it.expirationTime(null)));
    refused("no beginning", account, rs256(account, it -> it.issueTime(null)));
    refused("ends before it begins", account, rs256(account, it -> it.expirationTime(at(now, -5))));
    // A little off is what clocks are.
    opens(exchange(account.id(), rs256(account, it -> it.issueTime(at(now, 10)))));
    opens(
        exchange(
            account.id(),
            rs256(account, it -> it.issueTime(at(now, -50)).expirationTime(at(now, -10)))));
  }

  private static Date at(Instant now, int seconds) {
    return Date.from(now.plusSeconds(seconds));
  }

  @Test
  @DisplayName("S6: none, HS256 and other keys prove nothing")
  void whatIsSignedWronglyProvesNothing() throws Exception {
    Account account = account("signature", "");
    Account other = account("signer", "");
    JWTClaimsSet claims = claims(account).build();
    refused("none", account, new PlainJWT(claims).serialize());
    byte[] publicKey =
        ((java.security.interfaces.RSAPrivateCrtKey) account.key("RSA")).getModulus().toByteArray();
    refused(
        "a public key as a secret",
        account,
        signed(JWSAlgorithm.HS256, account.keyId(), claims, new MACSigner(publicKey)));
    refused(
        "another key",
        account,
        signed(JWSAlgorithm.RS256, account.keyId(), claims, new RSASSASigner(other.key("RSA"))));
    refused(
        "another key's name",
        account,
        signed(JWSAlgorithm.RS256, other.keyId(), claims, new RSASSASigner(account.key("RSA"))));
    refused(
        "no name of a key",
        account,
        signed(JWSAlgorithm.RS256, null, claims, new RSASSASigner(account.key("RSA"))));
    refused(
        "another hash",
        account,
        signed(JWSAlgorithm.RS512, account.keyId(), claims, new RSASSASigner(account.key("RSA"))));
    String good = rs256(account, it -> it);
    refused("a bit of it changed", account, good.substring(0, good.length() - 6) + "AAAAAA");
    refused("nothing signed", account, good.substring(0, good.lastIndexOf('.') + 1));
    refused("rubbish", account, "a.b.c");
    Account secret = account("by secret", ", \"algorithm\": \"client_secret\"");
    refused(
        "a secret as a key",
        secret,
        signed(
            JWSAlgorithm.HS256,
            secret.keyId(),
            claims(secret).build(),
            new MACSigner(secret.secret().getBytes(java.nio.charset.StandardCharsets.UTF_8))));
  }

  @Test
  @DisplayName("S6: an assertion's id is good once")
  void anIdIsGoodOnce() throws Exception {
    Account account = account("replay", "");
    String once = rs256(account, it -> it.jwtID("only-once"));
    opens(exchange(account.id(), once));
    refused("replayed", account, once);
    refused("the same id again", account, rs256(account, it -> it.jwtID("only-once")));
    opens(exchange(account.id(), rs256(account, it -> it.jwtID("another"))));
  }

  @Test
  @DisplayName("S6: a key is rotated while in use, and revoked at once")
  void aKeyIsRotatedWhileInUseAndRevokedAtOnce() throws Exception {
    Account first = account("rotated", "");
    String token = opens(exchange(first.id(), rs256(first, it -> it)));
    Answer rotated = server.call("POST", path + "/" + first.id() + "/rotate", owner, "");
    assertThat(rotated.status()).as(rotated.body()).isEqualTo(201);
    Account second = account(rotated.json());
    opens(exchange(first.id(), rs256(first, it -> it))); // both open for a while
    opens(exchange(second.id(), rs256(second, it -> it)));
    String key = path + "/" + first.id() + "/keys/" + first.keyId();
    assertThat(server.call("DELETE", key, owner, "").status()).isEqualTo(204);
    refused("revoked", first, rs256(first, it -> it));
    assertThat(server.call("GET", "/api/v1/me", token, "").status()).isEqualTo(401);
    String other = opens(exchange(second.id(), rs256(second, it -> it)));
    assertThat(server.call("DELETE", path + "/" + first.id(), owner, "").status()).isEqualTo(204);
    assertThat(server.call("GET", "/api/v1/me", other, "").status()).isEqualTo(401);
    refused("deleted", second, rs256(second, it -> it));
    assertThat(server.call("GET", path + "/" + first.id(), owner, "").status()).isEqualTo(404);
  }

  @Test
  void anAccountMayNoMoreThanItsRoleAndItsScopes() throws Exception {
    Account reader = account("reader", ", \"scopes\": [\"instances:read\"]");
    String token =
        exchange(reader.id(), rs256(reader, it -> it)).json().path("access_token").asText();
    assertThat(server.call("GET", "/api/v1/allocations", token, "").status()).isEqualTo(200);
    assertThat(server.call("POST", "/api/v1/allocations", token, "{}").status()).isEqualTo(403);
    assertThat(server.call("GET", "/api/v1/ssh-keys", token, "").status()).isEqualTo(403);
    Account viewer = account("viewer", ", \"role\": \"viewer\"");
    String looks =
        exchange(viewer.id(), rs256(viewer, it -> it)).json().path("access_token").asText();
    assertThat(server.call("GET", "/api/v1/ssh-keys", looks, "").status()).isEqualTo(200);
    assertThat(server.call("POST", "/api/v1/allocations", looks, "{}").status()).isEqualTo(403);
    Answer above = server.call("POST", path, owner, "{\"name\": \"x\", \"role\": \"owner\"}");
    assertThat(above.status()).isEqualTo(400);
  }

  @Test
  void whatOpensIsShownOnceAndListsGoOn() {
    Account account = account("shown", "");
    String shown = server.call("GET", path + "/" + account.id(), owner, "").body();
    assertThat(shown)
        .contains(account.keyId())
        .doesNotContain("PRIVATE")
        .doesNotContain("secret\":");
    JsonNode page = server.call("GET", path + "?page_size=1", owner, "").json();
    assertThat(page.path("items")).hasSize(1);
    assertThat(
            server
                .call("POST", path, owner, "{\"name\": \"s\", \"public_key\": \"nothing\"}")
                .status())
        .isEqualTo(400);
    assertThat(
            server.call("POST", path, owner, "{\"name\": \"Shown\"}").json().path("code").asText())
        .isEqualTo("service_account_exists");
  }
}
