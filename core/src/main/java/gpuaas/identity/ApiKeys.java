package gpuaas.identity;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refusal.Unauthenticated;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Keys that programs come with: {@code gpuai_live_} and 24 characters. Shown once, kept as a hash,
 * with scopes, an end, and the time of the last use.
 */
public final class ApiKeys {

  /** What every key begins with; scanners for leaked secrets look for it. */
  public static final String PREFIX = "gpuai_live_";

  private static final Pattern FORM = Pattern.compile(PREFIX + "[0-9A-Za-z]{24}");
  private static final int RANDOM_LENGTH = 24;
  private static final int SHOWN_LENGTH = PREFIX.length() + 4;
  private static final int LOG_IN_SHOWN_LENGTH = 8;
  private static final int NAME_LENGTH_MOST = 200;
  private static final int NOTED_MOST = 100_000;
  private static final int KNOWN_MOST = 10_000;

  private final Database database;
  private final Ids ids;
  private final InstantSource clock;
  private final ApiKeyRules rules;
  private final Map<UUID, Instant> noted = new ConcurrentHashMap<>();
  private final Map<String, Known> known = new ConcurrentHashMap<>();
  private final Consumer<UUID> revoked;

  /**
   * @param revoked told after the commit whose key opens nothing any more, so that what it opened
   *     closes
   */
  public ApiKeys(
      Database database, Ids ids, InstantSource clock, ApiKeyRules rules, Consumer<UUID> revoked) {
    this.revoked = revoked;
    this.database = database;
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
  }

  /**
   * The limits of keys; each is a setting.
   *
   * @param overlap how long the old key still opens after a rotation
   * @param noteEvery how exact the time of the last use is
   * @param knownFor how long a key that was looked up is taken for valid: so long it may still open
   *     elsewhere after it was revoked here
   */
  public record ApiKeyRules(
      int mostPerProject, Duration overlap, Duration noteEvery, Duration knownFor) {}

  /** A key that was looked up a moment ago, by its hash. */
  private record Known(ApiKeyStore.Owned owned, Instant at) {}

  /** A new key with what opens, which is nowhere else. */
  public record Issued(ApiKey key, String secret) {
    @Override
    public String toString() {
      return "Issued[" + key.id() + "]"; // never the secret
    }
  }

  /** Makes a key for the caller's project; it allows no more than its maker may do. */
  public Issued create(
      Tx tx, Caller caller, String name, Scopes scopes, Optional<Instant> expiresAt) {
    caller.require(Action.API_KEY_WRITE);
    Instant now = clock.instant();
    if (name.isBlank() || name.length() > NAME_LENGTH_MOST) {
      throw new Refused(
          Refusal.Invalid.field("name", "must have 1 to " + NAME_LENGTH_MOST + " characters"));
    }
    if (expiresAt.isPresent() && !expiresAt.get().isAfter(now)) {
      throw new Refused(Refusal.Invalid.field("expires_at", "must be in the future"));
    }
    if (ApiKeyStore.countValid(tx, caller.project(), now) >= rules.mostPerProject()) {
      throw new Refused(new Refusal.TooMany(Kind.API_KEY, rules.mostPerProject()));
    }
    String secret = PREFIX + Secrets.letters(RANDOM_LENGTH);
    ApiKey key =
        new ApiKey(
            ids.next(),
            caller.tenant(),
            caller.project(),
            caller.user(),
            name.strip(),
            secret.substring(0, SHOWN_LENGTH),
            scopes,
            now,
            expiresAt,
            Optional.empty(),
            Optional.empty());
    ApiKeyStore.add(tx, key, Secrets.hash(secret));
    AuditStore.append(tx, caller, Act.API_KEY_CREATE, key.id(), now);
    return new Issued(key, secret);
  }

  /**
   * A key for somebody who has just proved who they are, for a while; as long as many secrets,
   * since it may do all that they may.
   *
   * @param name says how it was come by
   */
  public Issued issue(
      Tx tx, Person person, String name, Scopes scopes, Duration lifetime, String correlationId) {
    Instant now = clock.instant();
    String secret = Secrets.longToken();
    ApiKey key =
        new ApiKey(
            ids.next(),
            person.tenant(),
            person.defaultProject(),
            person.id(),
            name.substring(0, Math.min(NAME_LENGTH_MOST, name.length())),
            secret.substring(0, LOG_IN_SHOWN_LENGTH),
            scopes,
            now,
            Optional.of(now.plus(lifetime)),
            Optional.empty(),
            Optional.empty());
    ApiKeyStore.add(tx, key, Secrets.hash(secret));
    AuditStore.append(tx, person.caller(correlationId), Act.API_KEY_CREATE, key.id(), now);
    return new Issued(key, secret);
  }

  /** What the key of a caller allows; everything when they came with none. */
  public Scopes scopes(Tx tx, Caller caller) {
    return caller
        .key()
        .flatMap(key -> ApiKeyStore.find(tx, key.id()))
        .map(ApiKey::scopes)
        .orElse(Scopes.FULL_ACCESS);
  }

  /** A key of the same name and scopes; the old one still opens for a while. */
  public Issued rotate(Tx tx, Caller caller, UUID id) {
    caller.require(Action.API_KEY_WRITE);
    Instant now = clock.instant();
    ApiKey old = visible(tx, caller, id);
    caller.requireOwn(old.person(), Action.API_KEY_WRITE);
    if (!old.isValid(now)) {
      throw new Refused(
          new Refusal.WrongState(Kind.API_KEY, id.toString(), "revoked or expired", "valid"));
    }
    Issued issued = create(tx, caller, old.name(), old.scopes(), old.expiresAt());
    ApiKeyStore.expire(tx, id, now.plus(rules.overlap()));
    AuditStore.append(tx, caller, Act.API_KEY_ROTATE, id, now);
    return issued;
  }

  /** It opens nothing any more, from the next request on. */
  public void revoke(Tx tx, Caller caller, UUID id) {
    caller.require(Action.API_KEY_WRITE);
    UUID owner = visible(tx, caller, id).person();
    caller.requireOwn(owner, Action.API_KEY_WRITE);
    ApiKeyStore.revoke(tx, id, clock.instant());
    tx.afterCommit(known::clear);
    tx.afterCommit(() -> revoked.accept(owner));
    AuditStore.append(tx, caller, Act.API_KEY_REVOKE, id, clock.instant());
  }

  /** True while a key opens; for what it opened a while ago. */
  public boolean isValid(UUID id) {
    return database
        .read(tx -> ApiKeyStore.find(tx, id))
        .filter(key -> key.isValid(clock.instant()))
        .isPresent();
  }

  /** One key, without what opens. */
  public ApiKey get(Caller caller, UUID id) {
    caller.require(Action.API_KEY_READ);
    return database.read(tx -> visible(tx, caller, id));
  }

  /** The keys of the caller's project, newest first. */
  public Page<ApiKey> list(Caller caller, Optional<UUID> after, int limit) {
    caller.require(Action.API_KEY_READ);
    return database.read(tx -> {
      Optional<ApiKey> before = after.map(id -> visible(tx, caller, id));
      List<ApiKey> found = ApiKeyStore.list(tx, caller.project(), before, limit + 1);
      boolean more = found.size() > limit;
      List<ApiKey> page = more ? found.subList(0, limit) : found;
      return new Page<>(
          page, more ? Optional.of(page.getLast().id().toString()) : Optional.empty());
    });
  }

  /** Whose key it is, as if they had logged in themselves; for whoever sits at the machine. */
  public Optional<Caller> owner(UUID id, String correlationId) {
    return database.read(tx ->
        ApiKeyStore.find(tx, id)
            .flatMap(key -> IdentityStore.find(tx, key.person()))
            .map(person -> person.caller(correlationId)));
  }

  /** True for what can only be a key of ours. */
  public static boolean looksLikeOne(String text) {
    return text.startsWith(PREFIX);
  }

  /** Who comes with this key. Refuses what is malformed, unknown, revoked, expired or orphaned. */
  public Caller caller(String secret, String correlationId) {
    if (!FORM.matcher(secret).matches()) {
      throw new Refused(new Unauthenticated(Why.INVALID));
    }
    return switch (admit(secret, correlationId)) {
      case Admission.Admitted(Caller caller) -> caller;
      case Admission.No _ -> throw new Refused(new Unauthenticated(Why.INVALID));
    };
  }

  /** Whether a key opens. */
  public sealed interface Admission {

    /** It does, for them. */
    record Admitted(Caller caller) implements Admission {}

    /** It does not. */
    record No(Reason reason) implements Admission {}

    /** Why a key does not open. */
    enum Reason {
      UNKNOWN,
      /** Its owner may not come any more. */
      DISABLED,
      REVOKED,
      EXPIRED
    }
  }

  /** Whether this key opens; for those who tell their callers why it does not. */
  public Admission admit(String secret, String correlationId) {
    Instant now = clock.instant();
    Optional<ApiKeyStore.Owned> found = look(Secrets.hash(secret), now);
    if (found.isEmpty()) {
      return new Admission.No(Admission.Reason.UNKNOWN);
    }
    ApiKeyStore.Owned owned = found.get();
    ApiKey key = owned.key();
    if (owned.person().disabled()) {
      return new Admission.No(Admission.Reason.DISABLED);
    }
    if (key.revokedAt().isPresent()) {
      return new Admission.No(Admission.Reason.REVOKED);
    }
    if (!key.isValid(now)) {
      return new Admission.No(Admission.Reason.EXPIRED);
    }
    note(key.id(), now);
    return new Admission.Admitted(
        new Caller(
            key.person(),
            owned.person().username(),
            key.tenant(),
            key.project(),
            owned.person().standing(),
            Optional.of(new Caller.Key(key.id(), key.scopes().actions())),
            correlationId));
  }

  private Optional<ApiKeyStore.Owned> look(byte[] hash, Instant now) {
    String name = HexFormat.of().formatHex(hash);
    Known before = known.get(name);
    if (before != null
        && !now.isBefore(before.at())
        && now.isBefore(before.at().plus(rules.knownFor()))) {
      return Optional.of(before.owned());
    }
    Optional<ApiKeyStore.Owned> found = database.read(tx -> ApiKeyStore.findByHash(tx, hash));
    if (known.size() > KNOWN_MOST) {
      known.clear();
    }
    found.ifPresentOrElse(
        owned -> known.put(name, new Known(owned, now)), () -> known.remove(name));
    return found;
  }

  /** Not at every request: nobody needs it to the second, and it is a write. */
  private void note(UUID id, Instant now) {
    Instant last = noted.get(id);
    if (last != null && now.isBefore(last.plus(rules.noteEvery()))) {
      return;
    }
    if (noted.size() > NOTED_MOST) {
      noted.clear();
    }
    noted.put(id, now);
    database.run(tx -> ApiKeyStore.used(tx, id, now));
  }

  private static ApiKey visible(Tx tx, Caller caller, UUID id) {
    return ApiKeyStore.find(tx, id)
        .filter(key -> caller.sees(key.project()))
        .orElseThrow(() -> new Refused(new Refusal.NotFound(Kind.API_KEY, id.toString())));
  }
}
