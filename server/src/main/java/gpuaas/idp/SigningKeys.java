package gpuaas.idp;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import gpuaas.db.DeploymentFactStore;
import java.text.ParseException;

/**
 * The key that tokens are signed with: made once, kept encrypted, the same on all servers of a
 * deployment.
 */
public final class SigningKeys {

  private static final String FACT = "idp-signing-key";

  private final RSAKey key;

  private SigningKeys(RSAKey key) {
    this.key = key;
  }

  /** The key of this deployment. */
  public static SigningKeys open(Database database, SecretBox secrets) {
    String sealed =
        DeploymentFactStore.getOrMake(
            database, FACT, () -> secrets.seal(make().toJSONString(), FACT));
    try {
      return new SigningKeys(RSAKey.parse(secrets.unseal(sealed, FACT)));
    } catch (ParseException e) {
      throw new IllegalStateException("the signing key cannot be read", e);
    }
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

  RSAKey key() {
    return key;
  }

  /** What others check signatures with. */
  public JWKSet publicKeys() {
    return new JWKSet(key.toPublicJWK());
  }
}
