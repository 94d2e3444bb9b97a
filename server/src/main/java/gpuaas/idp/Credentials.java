package gpuaas.idp;

import gpuaas.base.Caller;
import gpuaas.base.Credential;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refusal.Unauthenticated;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.ApiKeys.Admission;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import gpuaas.identity.ServiceAccounts;
import gpuaas.session.Sessions;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * The one place that knows what somebody can come with: a token of a person, a token of a service
 * account, an API key. Every dialect asks here, and says no in its own words.
 */
public final class Credentials {

  private static final int LENGTH_MOST = 16 * 1024;

  private final TokenCheck tokens;
  private final Identities identities;
  private final ApiKeys apiKeys;
  private final ServiceAccounts accounts;
  private final Sessions sessions;
  private final Optional<Issuer> issuer;

  public Credentials(
      TokenCheck tokens,
      Identities identities,
      ApiKeys apiKeys,
      ServiceAccounts accounts,
      Sessions sessions,
      Optional<Issuer> issuer) {
    this.issuer = issuer;
    this.sessions = sessions;
    this.tokens = tokens;
    this.identities = identities;
    this.apiKeys = apiKeys;
    this.accounts = accounts;
  }

  /** True for what cannot be anything but a credential of ours, good or not. */
  public static boolean looksLikeOne(String text) {
    return ApiKeys.looksLikeOne(text) || TokenCheck.looksLikeOne(text);
  }

  /**
   * Who comes with this.
   *
   * @param project that they want to act in; empty: their own choice. One that is not theirs is
   *     refused as one that is not there.
   */
  public Admission admit(String credential, Optional<UUID> project, String correlationId) {
    if (credential.length() > LENGTH_MOST) {
      return new Admission.No(Admission.Reason.UNKNOWN);
    }
    Admission admission =
        TokenCheck.looksLikeOne(credential)
            ? byToken(credential, project, correlationId)
            : apiKeys.admit(credential, correlationId);
    if (admission instanceof Admission.Admitted(Caller caller)) {
      project
          .filter(wanted -> !wanted.equals(caller.project()))
          .ifPresent(wanted -> {
            throw notFound(wanted);
          });
    }
    return admission;
  }

  /** The same for those who tell no more than that it does not open, or that it did. */
  public Caller caller(String credential, Optional<UUID> project, String correlationId) {
    return switch (admit(credential, project, correlationId)) {
      case Admission.Admitted(Caller caller) -> caller;
      case Admission.No(Admission.Reason reason) ->
          throw new Refused(
              new Unauthenticated(
                  reason == Admission.Reason.EXPIRED && TokenCheck.looksLikeOne(credential)
                      ? Why.EXPIRED
                      : Why.INVALID));
    };
  }

  /** The session that an access token belongs to; empty: it is none of a person. */
  public Optional<String> session(String credential) {
    return behind(credential)
        .filter(Credential.Session.class::isInstance)
        .map(found -> ((Credential.Session) found).key());
  }

  /** What stands behind a token that is good; empty: it is none. */
  public Optional<Credential> behind(String credential) {
    if (issuer.isPresent() && issuer.get().claims(credential)) {
      return issuer.get().check(credential) instanceof Issuer.Opens.Person(_, String session)
          ? Optional.of(new Credential.Session(session))
          : Optional.empty();
    }
    if (!TokenCheck.looksLikeOne(credential)) {
      return Optional.empty();
    }
    return switch (tokens.check(credential)) {
      case TokenCheck.Outcome.OfPerson(_, String session) ->
          Optional.of(new Credential.Session(session));
      case TokenCheck.Outcome.OfAccount(_, String keyId) ->
          Optional.of(new Credential.AccountKey(keyId));
      case TokenCheck.Outcome.Expired(), TokenCheck.Outcome.Bad() -> Optional.empty();
    };
  }

  /**
   * True while what somebody came with then still opens.
   *
   * @param principal the person, or the service account
   */
  public boolean isGood(Credential credential, UUID principal, Instant since) {
    return switch (credential) {
      case Credential.Session(String key) -> !sessions.isEnded(key, since);
      case Credential.ApiKey(UUID id) -> apiKeys.isValid(id);
      case Credential.AccountKey(String keyId) -> accounts.find(principal, keyId).isPresent();
    };
  }

  private Admission byToken(String credential, Optional<UUID> project, String correlationId) {
    if (issuer.isPresent() && issuer.get().claims(credential)) {
      return switch (issuer.get().check(credential)) {
        case Issuer.Opens.Expired() -> new Admission.No(Admission.Reason.EXPIRED);
        case Issuer.Opens.Nothing() -> new Admission.No(Admission.Reason.UNKNOWN);
        case Issuer.Opens.Person(UUID person, _) -> ofPerson(person, project, correlationId);
      };
    }
    return switch (tokens.check(credential)) {
      case TokenCheck.Outcome.Expired() -> new Admission.No(Admission.Reason.EXPIRED);
      case TokenCheck.Outcome.Bad() -> new Admission.No(Admission.Reason.UNKNOWN);
      case TokenCheck.Outcome.OfAccount(UUID account, String keyId) ->
          accounts
              .find(account, keyId)
              .<Admission>map(found -> new Admission.Admitted(found.caller(correlationId)))
              .orElseGet(() -> new Admission.No(Admission.Reason.REVOKED));
      case TokenCheck.Outcome.OfPerson(UUID person, String session) -> {
        if (sessions.isEnded(session)) {
          yield new Admission.No(Admission.Reason.REVOKED);
        }
        sessions.seen(session);
        yield ofPerson(person, project, correlationId);
      }
    };
  }

  private Admission ofPerson(UUID id, Optional<UUID> project, String correlationId) {
    Optional<Person> home = identities.find(id);
    if (home.isEmpty()) {
      return new Admission.No(Admission.Reason.DISABLED);
    }
    Person person =
        project
            .filter(wanted -> !wanted.equals(home.get().defaultProject()))
            .map(wanted ->
                identities
                    .find(id, wanted)
                    .filter(there -> there.admin() || there.standing().effective().isPresent())
                    .orElseThrow(() -> notFound(wanted)))
            .orElse(home.get());
    return new Admission.Admitted(person.caller(correlationId));
  }

  private static Refused notFound(UUID project) {
    return new Refused(new Refusal.NotFound(Kind.PROJECT, project.toString()));
  }
}
