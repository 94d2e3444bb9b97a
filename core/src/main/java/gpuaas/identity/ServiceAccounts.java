package gpuaas.identity;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.base.Role;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.identity.ServiceAccount.AccountKey;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Programs with a name of their own in a project. They prove who they are by a signature or a
 * secret, and get a token for a short time; a key that is revoked ends its tokens at once.
 */
public final class ServiceAccounts {

  private static final Pattern SLUG = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");
  private static final Pattern ACCOUNT_ID = Pattern.compile("sa-[a-z0-9]{4,40}");
  private static final Pattern KEY_ID = Pattern.compile("[A-Za-z0-9._-]{1,64}");
  private static final int NAME_LENGTH_MOST = 200;
  private static final int KEYS_SHOWN_MOST = 100;
  private static final int ID_LENGTH = 12;

  private final Database database;
  private final Ids ids;
  private final InstantSource clock;
  private final AccountRules rules;
  private final Consumer<UUID> revoked;

  /**
   * @param revoked told after the commit which account is out, or has a key less, so that what it
   *     opened closes
   */
  public ServiceAccounts(
      Database database, Ids ids, InstantSource clock, AccountRules rules, Consumer<UUID> revoked) {
    this.revoked = revoked;
    this.database = database;
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
  }

  /**
   * The limits; each is a setting.
   *
   * @param mostPerProject accounts of a project
   * @param keysMost valid keys of an account
   * @param overlap how long the old keys still open after a rotation
   * @param noteEvery how exact the time of the last use of a key is
   */
  public record AccountRules(
      int mostPerProject, int keysMost, Duration overlap, Duration noteEvery) {}

  /** How an account is to prove who it is. */
  public sealed interface Proof {
    /** By a pair that is made here; the private half is shown once and kept nowhere. */
    record MadeHere(SigningAlgorithm algorithm) implements Proof {}

    /** By a pair whose private half never comes here: the public one as PEM. */
    record TheirOwn(String publicKeyPem) implements Proof {}

    /** By a secret that is shown once. */
    record Secret() implements Proof {}
  }

  /**
   * A key to be made.
   *
   * @param keyId empty: one that we choose
   */
  public record NewKey(Optional<String> keyId, Proof proof) {}

  /** A new key with what is shown once; empty: there is nothing to show. */
  public record Issued(ServiceAccount account, AccountKey key, Optional<String> secret) {
    @Override
    public String toString() {
      return "Issued[" + account.accountId() + " " + key + "]"; // never the secret
    }
  }

  /** An account and its keys. */
  public record Detail(ServiceAccount account, List<AccountKey> keys) {}

  /**
   * Makes an account in the caller's project, with a role that is not above the caller's.
   *
   * @param accountId empty: one that we choose
   */
  public Issued create(
      Tx tx,
      Caller caller,
      String name,
      Optional<String> slug,
      Role role,
      Scopes scopes,
      Optional<String> accountId,
      NewKey newKey) {
    caller.require(Action.SERVICE_ACCOUNT_WRITE);
    if (caller.standing().effective().filter(own -> own.isAtLeast(role)).isEmpty()
        && !caller.isAdmin()) {
      throw new Refused(new Refusal.Denied(Action.SERVICE_ACCOUNT_WRITE));
    }
    if (name.isBlank() || name.length() > NAME_LENGTH_MOST) {
      throw new Refused(
          Refusal.Invalid.field("name", "must have 1 to " + NAME_LENGTH_MOST + " characters"));
    }
    String chosen = slug.orElseGet(() -> slugOf(name));
    if (!SLUG.matcher(chosen).matches()) {
      throw new Refused(
          Refusal.Invalid.field(
              "slug",
              "must have 1 to 63 lower-case letters, digits or dashes, and begin with none"));
    }
    TenancyStore.lockMembers(tx, TenancyStore.Of.PROJECT, caller.project());
    if (ServiceAccountStore.count(tx, caller.project()) >= rules.mostPerProject()) {
      throw new Refused(new Refusal.TooMany(Kind.SERVICE_ACCOUNT, rules.mostPerProject()));
    }
    if (ServiceAccountStore.hasSlug(tx, caller.project(), chosen)) {
      throw new Refused(
          new Refusal.Exists(
              Kind.SERVICE_ACCOUNT, "there is a service account called " + chosen + " already"));
    }
    String id = accountId.orElseGet(() -> "sa-" + word(ID_LENGTH));
    if (!ACCOUNT_ID.matcher(id).matches()) {
      throw new Refused(
          Refusal.Invalid.field("sa_id", "must be sa- and 4 to 40 lower-case letters or digits"));
    }
    if (ServiceAccountStore.hasId(tx, id)) {
      throw new Refused(
          new Refusal.Exists(Kind.SERVICE_ACCOUNT, "there is or was a service account " + id));
    }
    ServiceAccount account =
        new ServiceAccount(
            ids.next(),
            id,
            caller.tenant(),
            caller.project(),
            name.strip(),
            chosen,
            role,
            scopes,
            caller.user(),
            clock.instant(),
            Optional.empty());
    ServiceAccountStore.add(tx, account);
    AuditStore.append(tx, caller, Act.SERVICE_ACCOUNT_CREATE, account.id(), clock.instant());
    return addKey(tx, account, newKey);
  }

  private static String slugOf(String name) {
    String plain =
        name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-+|-+$", "");
    return plain.substring(0, Math.min(63, plain.length()));
  }

  private static String word(int length) {
    return Secrets.letters(length).toLowerCase(Locale.ROOT);
  }

  private Issued addKey(Tx tx, ServiceAccount account, NewKey newKey) {
    Instant now = clock.instant();
    long valid =
        ServiceAccountStore.keys(tx, account.id(), KEYS_SHOWN_MOST).stream()
            .filter(key -> key.isValid(now))
            .count();
    if (valid >= rules.keysMost()) {
      throw new Refused(new Refusal.TooMany(Kind.API_KEY, rules.keysMost()));
    }
    Optional<SigningAlgorithm> algorithm = Optional.empty();
    Optional<byte[]> publicKey = Optional.empty();
    Optional<byte[]> secretHash = Optional.empty();
    Optional<String> shown = Optional.empty();
    switch (newKey.proof()) {
      case Proof.MadeHere(SigningAlgorithm chosen) -> {
        KeyPair pair = chosen.generate();
        algorithm = Optional.of(chosen);
        publicKey = Optional.of(pair.getPublic().getEncoded());
        shown = Optional.of(SigningAlgorithm.pem(pair));
      }
      case Proof.TheirOwn(String pem) -> {
        SigningAlgorithm.Parsed parsed =
            SigningAlgorithm.parse(pem)
                .orElseThrow(() ->
                    new Refused(
                        Refusal.Invalid.field(
                            "public_key",
                            "must be a PEM public key: RSA of 2048 to 8192 bits, EC P-256, or"
                                + " Ed25519")));
        algorithm = Optional.of(parsed.algorithm());
        publicKey = Optional.of(parsed.key().getEncoded());
      }
      case Proof.Secret() -> {
        String secret = Secrets.longToken();
        secretHash = Optional.of(Secrets.hash(secret));
        shown = Optional.of(secret);
      }
    }
    String keyId = newKey.keyId().orElseGet(() -> "key-" + word(ID_LENGTH));
    if (!KEY_ID.matcher(keyId).matches()) {
      throw new Refused(
          Refusal.Invalid.field(
              "key_id", "must have 1 to 64 letters, digits, dots, dashes or underscores"));
    }
    if (ServiceAccountStore.key(tx, account.id(), keyId).isPresent()) {
      throw new Refused(new Refusal.Exists(Kind.API_KEY, "there is or was a key " + keyId));
    }
    AccountKey key =
        new AccountKey(
            keyId,
            account.id(),
            algorithm,
            publicKey,
            secretHash,
            now,
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    ServiceAccountStore.addKey(tx, key);
    return new Issued(account, key, shown);
  }

  /** Another key for an account; those it has end after an overlap. */
  public Issued rotate(Tx tx, Caller caller, String accountId, NewKey newKey) {
    caller.require(Action.SERVICE_ACCOUNT_WRITE);
    ServiceAccount account = changeable(tx, caller, accountId);
    Issued issued = addKey(tx, account, newKey);
    ServiceAccountStore.expireOthers(
        tx, account.id(), issued.key().keyId(), clock.instant().plus(rules.overlap()));
    AuditStore.append(tx, caller, Act.SERVICE_ACCOUNT_KEY_CREATE, account.id(), clock.instant());
    return issued;
  }

  /** A key proves nothing any more, and its tokens open nothing, from the next request on. */
  public void revokeKey(Tx tx, Caller caller, String accountId, String keyId) {
    caller.require(Action.SERVICE_ACCOUNT_WRITE);
    ServiceAccount account = changeable(tx, caller, accountId);
    AccountKey key =
        ServiceAccountStore.key(tx, account.id(), keyId)
            .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.API_KEY, keyId)));
    ServiceAccountStore.revokeKey(tx, account.id(), key.keyId(), clock.instant());
    AuditStore.append(tx, caller, Act.SERVICE_ACCOUNT_KEY_REVOKE, account.id(), clock.instant());
    tx.afterCommit(() -> revoked.accept(account.id()));
  }

  /** It is nobody any more, from the next request on; what it made stays. */
  public void delete(Tx tx, Caller caller, String accountId) {
    caller.require(Action.SERVICE_ACCOUNT_WRITE);
    ServiceAccount account = changeable(tx, caller, accountId);
    ServiceAccountStore.delete(tx, account.id(), clock.instant());
    AuditStore.append(tx, caller, Act.SERVICE_ACCOUNT_DELETE, account.id(), clock.instant());
    tx.afterCommit(() -> revoked.accept(account.id()));
  }

  /** One account and its keys, without what they prove by. */
  public Detail get(Caller caller, String accountId) {
    caller.require(Action.SERVICE_ACCOUNT_READ);
    return database.read(tx -> {
      ServiceAccount account = visible(tx, caller, accountId);
      return new Detail(account, ServiceAccountStore.keys(tx, account.id(), KEYS_SHOWN_MOST));
    });
  }

  /** The accounts of the caller's project, newest first; a cursor is the last one's id. */
  public Page<ServiceAccount> list(Caller caller, Optional<String> after, int limit) {
    caller.require(Action.SERVICE_ACCOUNT_READ);
    return database.read(tx -> {
      Optional<ServiceAccount> before = after.map(id -> visible(tx, caller, id));
      List<ServiceAccount> found =
          ServiceAccountStore.list(tx, caller.project(), before, limit + 1);
      List<ServiceAccount> page = found.subList(0, Math.min(limit, found.size()));
      return new Page<>(
          page, found.size() > limit ? Optional.of(page.getLast().accountId()) : Optional.empty());
    });
  }

  /** What an assertion is checked against; empty: there is no such account, or no such good key. */
  public Optional<AccountKey> key(String accountId, String keyId) {
    return database
        .read(tx ->
            ServiceAccountStore.find(tx, accountId)
                .flatMap(account -> ServiceAccountStore.key(tx, account.id(), keyId)))
        .filter(key -> key.isValid(clock.instant()));
  }

  /** True when this is the secret of a good key. */
  public boolean isSecret(AccountKey key, String secret) {
    return key.secretHash()
        .map(hash -> MessageDigest.isEqual(hash, Secrets.hash(secret)))
        .orElse(false);
  }

  /**
   * Somebody proved to hold the key. Empty: their assertion was used before.
   *
   * @param jti the assertion's own id, if it has one
   */
  public Optional<ServiceAccount> admitted(
      AccountKey key, Optional<String> jti, Instant expiresAt) {
    Instant now = clock.instant();
    return database.tx(tx -> {
      if (jti.isPresent()
          && !ServiceAccountStore.use(tx, key.account(), jti.get(), expiresAt, now)) {
        return Optional.empty();
      }
      boolean noted =
          key.lastUsedAt().filter(last -> now.isBefore(last.plus(rules.noteEvery()))).isPresent();
      if (!noted) {
        ServiceAccountStore.used(tx, key.account(), key.keyId(), now);
      }
      return ServiceAccountStore.find(tx, key.account(), key.keyId(), now);
    });
  }

  /** The account behind a token of ours, as long as the key is good that it was got by. */
  public Optional<ServiceAccount> find(UUID id, String keyId) {
    return database.read(tx -> ServiceAccountStore.find(tx, id, keyId, clock.instant()));
  }

  /** The account that is known by this id. */
  public Optional<ServiceAccount> find(UUID id) {
    return database.read(tx -> ServiceAccountStore.find(tx, id));
  }

  /** Nobody changes an account whose role is above their own. */
  private static ServiceAccount changeable(Tx tx, Caller caller, String accountId) {
    ServiceAccount account = visible(tx, caller, accountId);
    if (caller
        .standing()
        .highest(Action.Where.PROJECT)
        .filter(own -> own.isAtLeast(account.role()))
        .isEmpty()) {
      throw new Refused(new Refusal.Denied(Action.SERVICE_ACCOUNT_WRITE));
    }
    return account;
  }

  private static ServiceAccount visible(Tx tx, Caller caller, String accountId) {
    return ServiceAccountStore.find(tx, accountId)
        .filter(found -> caller.sees(found.project()))
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.SERVICE_ACCOUNT, accountId)));
  }
}
