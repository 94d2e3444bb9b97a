package gpuaas.idp;

import gpuaas.session.Session.Visitor;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Whoever lets people in: the built-in provider, or another one that the settings name. */
public interface LogInProvider {

  /**
   * What a client asks for on behalf of somebody.
   *
   * @param challenge of the verifier, by S256
   * @param loginHint who they probably are
   * @param providerHint by whom they want to be known, such as {@code github}; for a provider that
   *     stands before others
   */
  record Ask(
      String redirectUri,
      String state,
      String challenge,
      Optional<String> loginHint,
      Optional<String> providerHint) {}

  /**
   * What a log-in gives. Secrets, all of it.
   *
   * @param expiresAt of the access token
   */
  record Grant(
      String accessToken,
      Instant expiresAt,
      Duration expiresIn,
      String refreshToken,
      Duration refreshExpiresIn,
      Optional<String> idToken) {
    @Override
    public String toString() {
      return "Grant[until " + expiresAt + "]";
    }
  }

  /** Where to send a browser. */
  String authorizeUrl(Ask ask);

  /** Exchanges a code, once; empty: it is no good, for whatever reason. */
  Optional<Grant> exchange(String code, String redirectUri, String verifier, Visitor visitor);

  /** Uses a refresh token up for another; empty: it is no good. */
  Optional<Grant> refresh(String refreshToken);

  /** Tells that somebody logged out who would have gone on with this. */
  void end(String refreshToken);
}
