package gpuaas.idp;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.base.Ids;
import gpuaas.identity.Person;
import gpuaas.idp.IdpDialect.IdpSettings;
import gpuaas.session.LogInCodes;
import gpuaas.session.Session.Visitor;
import gpuaas.session.Session.Way;
import gpuaas.session.Sessions;
import java.net.URLEncoder;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

/** Logging in by the built-in provider. */
public final class LogIns implements LogInProvider {

  private final Sessions sessions;
  private final LogInCodes codes;
  private final Tokens tokens;
  private final IdpSettings settings;
  private final Ids ids;
  private final InstantSource clock;

  public LogIns(
      Sessions sessions,
      LogInCodes codes,
      Tokens tokens,
      IdpSettings settings,
      Ids ids,
      InstantSource clock) {
    this.sessions = sessions;
    this.codes = codes;
    this.tokens = tokens;
    this.settings = settings;
    this.ids = ids;
    this.clock = clock;
  }

  @Override
  public String authorizeUrl(Ask ask) {
    String url =
        settings.protocol()
            + "/auth?response_type=code&scope=openid%20profile%20email&client_id="
            + encoded(settings.clientId())
            + "&redirect_uri="
            + encoded(ask.redirectUri())
            + "&state="
            + encoded(ask.state())
            + "&code_challenge_method=S256&code_challenge="
            + encoded(ask.challenge());
    return ask.loginHint().map(hint -> url + "&login_hint=" + encoded(hint)).orElse(url);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, UTF_8);
  }

  @Override
  public Optional<Grant> exchange(
      String code, String redirectUri, String verifier, Visitor visitor) {
    return codes
        .exchange(code, settings.clientId(), redirectUri, verifier, visitor)
        .map(it -> grant(it.going(), it.asked().nonce()));
  }

  @Override
  public Optional<Grant> refresh(String refreshToken) {
    return sessions.refresh(refreshToken).map(going -> grant(going, Optional.empty()));
  }

  @Override
  public void end(String refreshToken) {
    sessions.endBy(refreshToken);
  }

  /** Somebody has proved who they are. */
  public Grant begin(Person person, Way provider, Visitor visitor) {
    return grant(sessions.begin(person, provider, visitor), Optional.empty());
  }

  private Grant grant(Sessions.Going going, Optional<String> nonce) {
    Instant now = clock.instant();
    String session = going.session().key();
    return new Grant(
        tokens.ofPerson(going.person(), session, ids.next(), now, settings.accessTokenLifetime()),
        now.plus(settings.accessTokenLifetime()),
        settings.accessTokenLifetime(),
        going.refreshToken(),
        java.time.Duration.between(now, going.session().expiresAt()),
        Optional.of(
            tokens.idToken(
                going.person(),
                new Tokens.LoggedIn(session, going.session().signedInAt(), nonce),
                now,
                settings.accessTokenLifetime())));
  }
}
