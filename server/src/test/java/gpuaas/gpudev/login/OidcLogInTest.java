package gpuaas.gpudev.login;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import gpuaas.gpudev.login.LogInAnswer.Denied;
import gpuaas.gpudev.login.LogInAnswer.Visitor;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OidcLogInTest {

  private static final Instant NOW = Instant.parse("2026-01-31T12:00:00Z");
  private static final Denied EXPIRED = new Denied(401, "OIDC token has expired");
  private static RSAKey rsa;
  private static ECKey ec;
  private static RSAKey stranger;

  private final AtomicReference<Instant> now = new AtomicReference<>(NOW);
  private final AtomicReference<ScriptedSts.Script> script = new AtomicReference<>();
  private ScriptedSts issuer;
  private OidcLogIn logIn;

  @BeforeAll
  static void keys() throws JOSEException {
    rsa = new RSAKeyGenerator(2048).keyID("r").generate();
    ec = new ECKeyGenerator(Curve.P_256).keyID("e").generate();
    stranger = new RSAKeyGenerator(2048).keyID("r").generate();
  }

  @BeforeEach
  void start() throws IOException {
    issuer = new ScriptedSts(connection -> script.get().answer(connection));
    serve(rsa, ec);
    logIn = logIn(Optional.of("gpus"));
  }

  @AfterEach
  void stop() throws IOException {
    logIn.close();
    issuer.close();
  }

  private OidcLogIn logIn(Optional<String> audience) {
    return new OidcLogIn(
        new LogInSettings.Oidc(
            issuer(),
            audience,
            Optional.empty(),
            Duration.ofSeconds(60),
            Duration.ofMinutes(5),
            Duration.ofHours(1),
            Duration.ofSeconds(30),
            Duration.ofMillis(700),
            1024 * 1024),
        now::get);
  }

  private String issuer() {
    return issuer.endpoint() + "/realms/x";
  }

  private void serve(JWK... keys) {
    script.set(
        ScriptedSts.answering(
            200, "application/json", new JWKSet(List.of(keys)).toPublicJWKSet().toString()));
  }

  private JWTClaimsSet.Builder claims() {
    return new JWTClaimsSet.Builder()
        .issuer(issuer())
        .audience("gpus")
        .subject("sub-1")
        .expirationTime(Date.from(NOW.plusSeconds(300)));
  }

  private static String signed(JWSAlgorithm algorithm, JWK key, JWTClaimsSet claims) {
    try {
      JWSSigner signer =
          key instanceof ECKey curve ? new ECDSASigner(curve) : new RSASSASigner(key.toRSAKey());
      SignedJWT token =
          new SignedJWT(new JWSHeader.Builder(algorithm).keyID(key.getKeyID()).build(), claims);
      token.sign(signer);
      return token.serialize();
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  private static String signed(JWTClaimsSet.Builder claims) {
    return signed(JWSAlgorithm.RS256, rsa, claims.build());
  }

  private LogInAnswer with(Consumer<JWTClaimsSet.Builder> change) {
    JWTClaimsSet.Builder claims = claims();
    change.accept(claims);
    return logIn.visitor(signed(claims));
  }

  private static Visitor visitor(String name) {
    return new Visitor(name, Optional.empty());
  }

  private static Denied invalid(String why) {
    return new Denied(401, "Invalid OIDC token: " + why);
  }

  private static String encoded(String json) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(json.getBytes(UTF_8));
  }

  @Test
  void tokensOfTheIssuerLetIn() {
    // RS256 and ES256, by keys from the issuer's place, asked for once
    assertThat(with(_ -> {})).isEqualTo(visitor("sub-1"));
    assertThat(logIn.visitor(signed(JWSAlgorithm.ES256, ec, claims().build())))
        .isEqualTo(visitor("sub-1"));
    assertThat(issuer.received())
        .singleElement()
        .satisfies(sent -> assertThat(sent).startsWith("GET /realms/x/.well-known/jwks.json "));
  }

  @Test
  void theNameIsThePreferredOneElseOfTheMailElseTheSubject() {
    // and cleaned as all names; a mail address that the issuer did not check is nobody's
    assertThat(with(c -> c.claim("preferred_username", "jo doe").claim("email", "m@x.org")))
        .isEqualTo(visitor("jo-doe"));
    assertThat(with(c -> c.claim("preferred_username", "  ").claim("email", "m.x@x.org")))
        .isEqualTo(visitor("m.x"));
    assertThat(with(c -> c.claim("email", "m@x.org").claim("email_verified", true)))
        .isEqualTo(visitor("m"));
    assertThat(with(c -> c.claim("email", "m@x.org").claim("email_verified", false)))
        .isEqualTo(visitor("sub-1"));
    assertThat(with(c -> c.claim("email", "@x.org"))).isEqualTo(visitor("sub-1"));
    assertThat(with(c -> c.claim("preferred_username", List.of("root"))))
        .isEqualTo(visitor("sub-1"));
    assertThat(with(c -> c.subject("s".repeat(9000)))).isEqualTo(visitor("s".repeat(255)));
    assertThat(with(c -> c.subject(null))).isEqualTo(invalid("it names nobody"));
  }

  @Test
  void timesCountWithAMinuteOfLeeway() {
    // exp is needed; nbf counts when it is there
    Instant end = NOW.plusSeconds(300);
    now.set(end.plusSeconds(59));
    assertThat(with(_ -> {})).isEqualTo(visitor("sub-1"));
    now.set(end.plusSeconds(60));
    assertThat(with(_ -> {})).isEqualTo(EXPIRED);
    now.set(NOW);
    assertThat(with(c -> c.expirationTime(null))).isEqualTo(invalid("it has no exp"));
    assertThat(with(c -> c.notBeforeTime(Date.from(NOW.plusSeconds(60)))))
        .isEqualTo(visitor("sub-1"));
    assertThat(with(c -> c.notBeforeTime(Date.from(NOW.plusSeconds(61)))))
        .isEqualTo(invalid("it is not valid yet"));
  }

  @Test
  void tokensForOthersDoNotLetIn() {
    // issuer exactly; audience among several; none asked for when none is set
    assertThat(with(c -> c.issuer(issuer() + "/"))).isEqualTo(invalid("it is of another issuer"));
    assertThat(with(c -> c.issuer(null))).isEqualTo(invalid("it is of another issuer"));
    assertThat(with(c -> c.audience("other"))).isEqualTo(invalid("it is for another audience"));
    assertThat(with(c -> c.audience((String) null)))
        .isEqualTo(invalid("it is for another audience"));
    assertThat(with(c -> c.audience(List.of("other", "gpus")))).isEqualTo(visitor("sub-1"));
    try (OidcLogIn anybody = logIn(Optional.empty())) {
      assertThat(anybody.visitor(signed(claims().audience("other")))).isEqualTo(visitor("sub-1"));
    }
  }

  @Test
  void whatTheIssuerDidNotSignDoesNotLetIn() throws JOSEException {
    // no signature, other algorithms, the public key as a secret, another's key of the same id
    String good = signed(claims());
    String[] parts = good.split("\\.");
    String root = encoded("{\"sub\":\"root\"}");
    Denied algorithm = invalid("it must be signed with RS256 or ES256");
    Denied signature = invalid("its signature is not by a key of the issuer");
    Denied notOne = invalid("it is not a signed JWT");
    assertThat(logIn.visitor(new PlainJWT(claims().build()).serialize())).isEqualTo(notOne);
    assertThat(logIn.visitor(signed(JWSAlgorithm.RS512, rsa, claims().build())))
        .isEqualTo(algorithm);
    SignedJWT confused =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("r").build(), claims().build());
    confused.sign(new MACSigner(rsa.toRSAPublicKey().getEncoded()));
    assertThat(logIn.visitor(confused.serialize())).isEqualTo(algorithm);
    assertThat(logIn.visitor(signed(JWSAlgorithm.RS256, stranger, claims().build())))
        .isEqualTo(signature);
    assertThat(logIn.visitor(parts[0] + "." + root + "." + parts[2])).isEqualTo(signature);
    assertThat(logIn.visitor(parts[0] + "." + parts[1] + ".AAAA")).isEqualTo(signature);
    for (String broken :
        List.of(
            "",
            "x",
            "a.b.c",
            "..",
            "....",
            "\uD83D\uDD11.\u0000.\r\n",
            parts[0] + "." + parts[1],
            parts[0] + "." + parts[1] + ".",
            "e30.e30.e30",
            "A".repeat(30_000) + ".e30.e30")) {
      assertThat(logIn.visitor(broken)).as(broken).isEqualTo(notOne);
    }
    String deep = encoded("{\"alg\":" + "[".repeat(15_000));
    assertThat(logIn.visitor(deep + "." + parts[1] + "." + parts[2])).isEqualTo(notOne);
    for (String claims : List.of("{\"x\":" + "[".repeat(15_000), "[]", "7", "{\"exp\":\"x\"}")) {
      assertThat(logIn.visitor(parts[0] + "." + encoded(claims) + "." + parts[2]))
          .as(claims)
          .isIn(signature, invalid("its claims cannot be read"));
    }
    assertThat(logIn.visitor("A".repeat(100_000))).isEqualTo(invalid("it is too long"));
  }

  @Test
  void anUnknownKeyMakesItAskAgainButNotOften() throws JOSEException {
    // a new key works at once; inventing key ids does not make the issuer busy
    assertThat(with(_ -> {})).isEqualTo(visitor("sub-1"));
    RSAKey fresh = new RSAKeyGenerator(2048).keyID("fresh").generate();
    serve(rsa, fresh);
    assertThat(logIn.visitor(signed(JWSAlgorithm.RS256, fresh, claims().build())))
        .isEqualTo(visitor("sub-1"));
    assertThat(issuer.received()).hasSize(2);
    for (int i = 0; i < 50; i++) {
      RSAKey invented = new RSAKey.Builder(stranger).keyID("invented-" + i).build();
      assertThat(logIn.visitor(signed(JWSAlgorithm.RS256, invented, claims().build())))
          .isInstanceOfSatisfying(
              Denied.class, denied -> assertThat(denied.status()).isEqualTo(401));
    }
    assertThat(issuer.received()).hasSizeLessThanOrEqualTo(4);
    assertThat(with(_ -> {})).isEqualTo(visitor("sub-1"));
  }

  @Test
  void anIssuerThatIsNotWellLetsNobodyIn() throws IOException {
    // silent, resetting, dripping, HTML, endless, errors
    Map<String, ScriptedSts.Script> scripts =
        Map.of(
            "hangs", ScriptedSts.hanging(),
            "resets", ScriptedSts.resetting(),
            "drips", ScriptedSts.dripping(),
            "HTML", ScriptedSts.answering(200, "text/html", "<html></html>"),
            "500", ScriptedSts.answering(500, "application/json", "{}"),
            "empty", ScriptedSts.answering(200, "application/json", ""),
            "deep", ScriptedSts.answering(200, "application/json", "[".repeat(100_000)),
            "2 MB", ScriptedSts.answering(200, "application/json", " ".repeat(2_000_000) + "{}"));
    for (Map.Entry<String, ScriptedSts.Script> bad : scripts.entrySet()) {
      script.set(bad.getValue());
      try (OidcLogIn fresh = logIn(Optional.empty())) {
        assertThat(fresh.visitor(signed(claims())))
            .as(bad.getKey())
            .isEqualTo(new Denied(500, "Failed to verify the OIDC token"));
      }
    }
  }

  @Test
  void keysCanBeElsewhere() {
    // as for issuers that do not have them where most do
    URI keys = URI.create(issuer.endpoint() + "/certs");
    LogInSettings.Oidc usual = LogInSettings.Oidc.of(issuer(), Optional.empty());
    LogInSettings.Oidc settings =
        new LogInSettings.Oidc(
            usual.issuer(),
            usual.audience(),
            Optional.of(keys),
            usual.leeway(),
            usual.keysLast(),
            usual.keysOutageLast(),
            usual.refreshPause(),
            usual.limit(),
            usual.keysBytesMost());
    try (OidcLogIn elsewhere = new OidcLogIn(settings, now::get)) {
      assertThat(elsewhere.visitor(signed(claims()))).isEqualTo(visitor("sub-1"));
    }
    assertThat(issuer.received())
        .singleElement()
        .satisfies(sent -> assertThat(sent).startsWith("GET /certs "));
  }
}
