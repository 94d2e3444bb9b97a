package gpuaas.idp;

import gpuaas.base.Action;
import gpuaas.base.Ids;
import gpuaas.db.Database;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.Identities;
import gpuaas.identity.Invitations;
import gpuaas.identity.ServiceAccount;
import gpuaas.identity.ServiceAccounts;
import gpuaas.identity.Tenancy;
import gpuaas.idp.IdpDialect.IdpSettings;
import java.time.Duration;
import java.time.InstantSource;
import java.util.UUID;
import java.util.function.Consumer;

/** How people and programs prove who they are, and whether they still may. */
public record Admittance(
    Identities identities,
    Tenancy tenancy,
    Invitations invitations,
    ServiceAccounts accounts,
    Assertions assertions,
    Tokens tokens,
    Credentials credentials) {

  /** What people and programs are held to. */
  public record Rules(
      Tenancy.TenancyRules tenancy,
      Duration invitationLifetime,
      ServiceAccounts.AccountRules accounts,
      Assertions.AssertionRules assertions) {}

  /**
   * Makes the parts that go together.
   *
   * @param lessened told after the commit that somebody may less than before
   */
  public static Admittance open(
      Database database,
      Identities identities,
      ApiKeys apiKeys,
      SigningKeys keys,
      IdpSettings idp,
      Rules rules,
      Consumer<UUID> lessened,
      Ids ids,
      InstantSource clock) {
    ServiceAccounts accounts = new ServiceAccounts(database, ids, clock, rules.accounts());
    TokenCheck check = new TokenCheck(keys.publicKeys(), idp.issuer(), idp.clientId(), clock);
    return new Admittance(
        identities,
        new Tenancy(database, ids, clock, rules.tenancy(), lessened),
        new Invitations(database, ids, clock, rules.invitationLifetime()),
        accounts,
        new Assertions(accounts, rules.assertions(), clock),
        new Tokens(keys, idp.issuer(), idp.clientId()),
        new Credentials(check, identities, apiKeys, accounts));
  }

  /** True while somebody may do this in a project; for what they opened a while ago. */
  public boolean still(UUID principal, UUID project, Action action) {
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
