package gpuaas.idp;

import gpuaas.access.Terminals.Redeemed.Opened;
import gpuaas.base.Action;
import gpuaas.base.Ids;
import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.Identities;
import gpuaas.identity.Invitations;
import gpuaas.identity.ServiceAccount;
import gpuaas.identity.ServiceAccounts;
import gpuaas.identity.Tenancy;
import gpuaas.idp.IdpDialect.IdpSettings;
import gpuaas.session.LogInCodes;
import gpuaas.session.PasswordDoor;
import gpuaas.session.Sessions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * How people and programs prove who they are, and whether they still may.
 *
 * @param logIns by the built-in provider
 * @param provider who lets people in that come by a browser
 */
public record Admittance(
    Identities identities,
    Tenancy tenancy,
    Invitations invitations,
    ServiceAccounts accounts,
    Assertions assertions,
    Tokens tokens,
    Credentials credentials,
    IdpSettings settings,
    LogInRules rules,
    SigningKeys keys,
    TokenCheck check,
    Sessions sessions,
    LogInCodes codes,
    PasswordDoor door,
    LogIns logIns,
    LogInProvider provider,
    RedirectUris redirectUris) {

  /** A little more than what is signed last can be good. */
  private static final Duration MARGIN = Duration.ofHours(1);

  /** What people and programs are held to. */
  public record Rules(
      Tenancy.TenancyRules tenancy,
      Duration invitationLifetime,
      ServiceAccounts.AccountRules accounts,
      Assertions.AssertionRules assertions,
      LogInRules logIn) {}

  /**
   * Who is told after a commit.
   *
   * @param lessened that somebody may less than before
   * @param loggedOut that something of somebody's opens nothing any more
   */
  public record Told(Consumer<UUID> lessened, Consumer<UUID> loggedOut) {}

  /**
   * Makes the parts that go together.
   *
   * @param told what follows when somebody may less than before
   */
  public static Admittance open(
      Database database,
      Identities identities,
      ApiKeys apiKeys,
      SecretBox secrets,
      IdpSettings idp,
      Rules rules,
      Told told,
      Ids ids,
      InstantSource clock) {
    LogInRules logIn = rules.logIn();
    Duration longestToken =
        Collections.max(
                List.of(
                    idp.accessTokenLifetime(),
                    logIn.sessions().refreshLifetime(),
                    rules.assertions().tokenLifetime()))
            .plus(MARGIN);
    SigningKeys keys =
        SigningKeys.open(database, secrets, clock, logIn.signingKeyAge(), longestToken);
    ServiceAccounts accounts =
        new ServiceAccounts(database, ids, clock, rules.accounts(), told.loggedOut());
    TokenCheck check = new TokenCheck(keys, idp.issuer(), idp.clientId(), clock);
    Tokens tokens = new Tokens(keys, idp.issuer(), idp.clientId());
    Sessions sessions =
        new Sessions(
            database, identities, ids, clock, logIn.sessions(), longestToken, told.loggedOut());
    sessions.recheck();
    Optional<Issuer> issuer =
        logIn.issuer().map(other -> new Issuer(other, identities, sessions, clock));
    LogInCodes codes = new LogInCodes(database, sessions, clock, logIn.sessions());
    LogIns logIns = new LogIns(sessions, codes, tokens, idp, ids, clock);
    return new Admittance(
        identities,
        new Tenancy(database, ids, clock, rules.tenancy(), told.lessened()),
        new Invitations(database, ids, clock, rules.invitationLifetime()),
        accounts,
        new Assertions(accounts, rules.assertions(), clock),
        tokens,
        new Credentials(check, identities, apiKeys, accounts, sessions, issuer),
        idp,
        logIn,
        keys,
        check,
        sessions,
        codes,
        new PasswordDoor(database, identities, clock, logIn.tries()),
        logIns,
        issuer.<LogInProvider>map(other -> other).orElse(logIns),
        new RedirectUris(logIn.redirectUris()));
  }

  /** Deletes what is beyond its time, and makes another signing key when the last is old. */
  public void tidy() {
    sessions.forgetOld();
    keys.recheck();
  }

  /** True while a terminal that was opened a while ago may be open. */
  public boolean still(Opened opened, UUID project) {
    return still(opened.person(), project, Action.TERMINAL_OPEN)
        && credentials.isGood(opened.credential(), opened.person(), opened.askedAt());
  }

  private boolean still(UUID principal, UUID project, Action action) {
    boolean asPerson =
        identities
            .find(principal, project)
            .filter(person -> person.standing().allows(action))
            .isPresent();
    return asPerson
        || accounts
            .find(principal)
            .filter(account -> account.project().equals(project))
            .map(ServiceAccount::standing)
            .filter(standing -> standing.allows(action))
            .isPresent();
  }
}
