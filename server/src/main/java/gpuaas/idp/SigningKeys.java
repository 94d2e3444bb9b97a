package gpuaas.idp;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import gpuaas.db.DeploymentFactStore;
import gpuaas.idp.SigningKeyStore.Sealed;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;

/**
 * The keys that tokens are signed with, sealed, the same on all servers of a deployment. The
 * youngest signs. When it is old enough another is made, and the old one is known until nothing
 * that it signed can be good any more.
 */
public final class SigningKeys {

  private static final String FACT = "idp-signing-key";
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  private final Database database;
  private final SecretBox secrets;
  private final InstantSource clock;
  private final Duration age;
  private final Duration outlive;
  private volatile List<RSAKey> keys = List.of();
  private volatile JWKSet publicKeys = new JWKSet();
  private volatile Instant lookedAt = Instant.EPOCH;

  private SigningKeys(
      Database database, SecretBox secrets, InstantSource clock, Duration age, Duration outlive) {
    this.database = database;
    this.secrets = secrets;
    this.clock = clock;
    this.age = age;
    this.outlive = outlive;
  }

  /**
   * The keys of this deployment.
   *
   * @param age how old a key gets before another signs
   * @param outlive how long what it signed last may be good
   */
  public static SigningKeys open(
      Database database, SecretBox secrets, InstantSource clock, Duration age, Duration outlive) {
    SigningKeys keys = new SigningKeys(database, secrets, clock, age, outlive);
    if (keys.stored().isEmpty()) {
      String sealed =
          DeploymentFactStore.getOrMake(
              database, FACT, () -> secrets.seal(make().toJSONString(), FACT));
      keys.add(keys.opened(sealed), sealed, Instant.EPOCH);
    }
    keys.load();
    return keys;
  }

  private static RSAKey make() {
    try {
      return new RSAKeyGenerator(2048)
          .keyUse(KeyUse.SIGNATURE)
          .algorithm(JWSAlgorithm.RS256)
          .keyIDFromThumbprint(true)
          .generate();
    } catch (JOSEException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<Sealed> stored() {
    return database.read(SigningKeyStore::all);
  }

  private RSAKey opened(String sealed) {
    try {
      return RSAKey.parse(secrets.unseal(sealed, FACT));
    } catch (ParseException e) {
      throw new IllegalStateException("a signing key cannot be read", e);
    }
  }

  private void add(RSAKey key, String sealed, Instant youngerThan) {
    database.run(
        tx -> SigningKeyStore.add(tx, key.getKeyID(), sealed, clock.instant(), youngerThan));
  }

  private synchronized void load() {
    List<RSAKey> all = stored().stream().map(one -> opened(one.sealed())).toList();
    keys = all;
    publicKeys = new JWKSet(all.stream().map(key -> (JWK) key.toPublicJWK()).toList());
    lookedAt = clock.instant();
  }

  /** Makes another key when the youngest is old, and learns of those that others made. */
  public void recheck() {
    Instant now = clock.instant();
    Instant old = now.minus(age);
    if (stored().stream().noneMatch(one -> one.madeAt().isAfter(old))) {
      RSAKey key = make();
      add(key, secrets.seal(key.toJSONString(), FACT), old);
    }
    database.run(tx -> SigningKeyStore.retire(tx, now, now.minus(outlive)));
    load();
  }

  /** The one that signs. */
  RSAKey key() {
    return keys.getFirst();
  }

  /** What others check signatures with. */
  public JWKSet publicKeys() {
    return publicKeys;
  }

  /** The same for somebody who looks for a key: another server may have made it a moment ago. */
  JWKSet publicKeys(JWKSelector wanted) {
    Set<String> ids = wanted.getMatcher().getKeyIDs();
    boolean known =
        ids == null || ids.stream().allMatch(id -> publicKeys.getKeyByKeyId(id) != null);
    if (!known && clock.instant().isAfter(lookedAt.plus(LOOK_AGAIN))) {
      load();
    }
    return publicKeys;
  }
}
