package gpuaas.session;

import gpuaas.audit.AuditStore;
import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import gpuaas.session.Session.Visitor;
import gpuaas.session.Session.Way;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Who is logged in where. Sessions begin with a proof, go on by refresh tokens that work once, and
 * end at once for all that they gave.
 */
public final class Sessions {

  private static final int NOTED_MOST = 10_000;

  /** A transaction that ends a session may take so long to be seen. */
  private static final Duration OVERLAP = Duration.ofMinutes(1);

  private static final Duration TOKENS_KEPT_FOR = Duration.ofDays(1);

  private final Database database;
  private final Identities identities;
  private final Ids ids;
  private final InstantSource clock;
  private final SessionRules rules;
  private final Duration longestToken;
  private final Consumer<UUID> told;

  /** Ended sessions by key, until no token of theirs can be good. */
  private final Map<String, Instant> ended = new ConcurrentHashMap<>();

  private final Map<String, Instant> noted = new ConcurrentHashMap<>();
  private Instant lookedAt = Instant.EPOCH;

  /**
   * @param longestToken how long after the end of a session an access token of it may go on
   * @param told after the commit of whose session has ended, so that what it opened closes
   */
  public Sessions(
      Database database,
      Identities identities,
      Ids ids,
      InstantSource clock,
      SessionRules rules,
      Duration longestToken,
      Consumer<UUID> told) {
    this.told = told;
    this.database = database;
    this.identities = identities;
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
    this.longestToken = longestToken;
  }

  /** A session that goes on, whose it is, and what it goes on by next. */
  public record Going(Session session, Person person, String refreshToken) {}

  /** Somebody has proved who they are. */
  public Going begin(Person person, Way provider, Visitor visitor) {
    Begun begun = database.tx(tx -> begin(tx, person.id(), provider, visitor));
    return new Going(begun.session(), person, begun.refreshToken());
  }

  /** A session with what it goes on by next. */
  record Begun(Session session, String refreshToken) {}

  Begun begin(Tx tx, UUID person, Way provider, Visitor visitor) {
    Instant now = clock.instant();
    UUID id = ids.next();
    Session session =
        new Session(
            id,
            person,
            provider,
            id.toString(),
            visitor,
            now,
            now,
            now.plus(rules.refreshLifetime()),
            Optional.empty());
    SessionStore.add(tx, session);
    return new Begun(session, newRefreshToken(tx, session));
  }

  /** With whose it is; nobody's is ended. */
  Optional<Going> going(Begun begun) {
    UUID id = begun.session().person();
    Optional<Person> person = identities.find(id);
    if (person.isEmpty()) {
      endAll(id, "disabled");
    }
    return person.map(they -> new Going(begun.session(), they, begun.refreshToken()));
  }

  private static String newRefreshToken(Tx tx, Session session) {
    String token = Secrets.token();
    SessionStore.addRefreshToken(tx, Secrets.hash(token), session.id(), session.expiresAt());
    return token;
  }

  /**
   * Uses a refresh token up for another. One that was used before was stolen, now or then: its
   * session ends. Empty: it is none, or no longer.
   */
  public Optional<Going> refresh(String token) {
    return database.tx(tx -> refresh(tx, token)).flatMap(this::going);
  }

  private Optional<Begun> refresh(Tx tx, String token) {
    Instant now = clock.instant();
    byte[] hash = Secrets.hash(token);
    Optional<UUID> id = SessionStore.takeRefreshToken(tx, hash, now);
    if (id.isEmpty()) {
      SessionStore.sessionOf(tx, hash, true)
          .ifPresent(stolen -> end(tx, stolen, Optional.empty(), "refresh token used twice"));
      return Optional.empty();
    }
    Optional<Session> session = SessionStore.lock(tx, id.get()).filter(it -> it.isOpen(now));
    return session.map(it -> {
      Instant expiresAt =
          earlier(now.plus(rules.refreshLifetime()), it.signedInAt().plus(rules.longest()));
      SessionStore.goOn(tx, it.id(), now, expiresAt);
      Session further =
          new Session(
              it.id(),
              it.person(),
              it.provider(),
              it.key(),
              it.visitor(),
              it.signedInAt(),
              now,
              expiresAt,
              Optional.empty());
      return new Begun(further, newRefreshToken(tx, further));
    });
  }

  private static Instant earlier(Instant one, Instant other) {
    return one.isBefore(other) ? one : other;
  }

  /** Ends the session that a refresh token would go on with. */
  public void endBy(String refreshToken) {
    database.run(tx ->
        SessionStore.sessionOf(tx, Secrets.hash(refreshToken), false)
            .ifPresent(id -> end(tx, id, Optional.empty(), "logged out")));
  }

  /** Ends the session that a token of this person names, if it has not ended. */
  public void logOut(UUID person, String key) {
    database.run(tx ->
        SessionStore.byKey(tx, person, key)
            .ifPresent(id -> end(tx, id, Optional.of(person), "logged out")));
  }

  /** Ends all sessions of somebody. */
  public void endAll(UUID person, String reason) {
    database.run(tx -> endAll(tx, person, reason));
  }

  /** The same, in a transaction with something else. */
  public void endAll(Tx tx, UUID person, String reason) {
    SessionStore.openIds(tx, person).forEach(id -> end(tx, id, Optional.empty(), reason));
  }

  /** Lets somebody in again, or nowhere any more: then what they have open ends. */
  public void enable(String username, boolean enabled) {
    Optional<Person> ending = identities.findByName(username).filter(_ -> !enabled);
    identities.enable(username, enabled);
    ending.ifPresent(person -> endAll(person.id(), "disabled"));
  }

  void end(Tx tx, UUID id, Optional<UUID> by, String reason) {
    Instant now = clock.instant();
    SessionStore.revoke(tx, id, by, reason, now)
        .ifPresent(one ->
            tx.afterCommit(() -> {
              ended.put(one.key(), now);
              told.accept(one.person());
            }));
  }

  /** The caller's own, newest first. */
  public List<Session> list(Caller caller) {
    caller.require(Action.SELF_READ);
    return database.read(tx -> SessionStore.open(tx, caller.user(), clock.instant()));
  }

  /** Ends one of the caller's own. */
  public void revoke(Tx tx, Caller caller, UUID id) {
    caller.require(Action.SELF_WRITE);
    Instant now = clock.instant();
    if (SessionStore.lock(tx, id)
        .filter(session -> session.person().equals(caller.user()) && session.isOpen(now))
        .isEmpty()) {
      throw new Refused(new Refusal.NotFound(Kind.SESSION, id.toString()));
    }
    end(tx, id, Optional.of(caller.user()), "ended by its owner");
    AuditStore.append(tx, caller, Act.SESSION_REVOKE, id, now);
  }

  /**
   * A token of another provider's session, issued then, was shown. False: that session was ended
   * here since.
   */
  public boolean met(
      Person person, String key, Visitor visitor, Instant issuedAt, Instant expiresAt) {
    Instant now = clock.instant();
    Session session =
        new Session(
            ids.next(), person.id(), Way.OIDC, key, visitor, now, now, expiresAt, Optional.empty());
    return !isEnded(key, issuedAt) && database.tx(tx -> SessionStore.met(tx, session, issuedAt));
  }

  /** True for what was issued before its session was ended. */
  public boolean isEnded(String key, Instant issuedAt) {
    Instant at = ended.get(key);
    return at != null && !issuedAt.isAfter(at);
  }

  /** True for a session that ended, here or on another server. Asks nobody. */
  public boolean isEnded(String key) {
    return ended.containsKey(key);
  }

  /** A token of this session opened something. Not written at every request: it is a write. */
  public void seen(String key) {
    Instant now = clock.instant();
    Instant last = noted.get(key);
    if (last != null && now.isBefore(last.plus(rules.noteEvery()))) {
      return;
    }
    if (noted.size() > NOTED_MOST) {
      noted.clear();
    }
    noted.put(key, now);
    database.run(tx -> SessionStore.seen(tx, key, now));
  }

  /** Learns which sessions ended on other servers. Again and again, and before the first use. */
  public synchronized void recheck() {
    Instant now = clock.instant();
    Instant oldest = now.minus(longestToken);
    Instant since = lookedAt.isBefore(oldest) ? oldest : lookedAt.minus(OVERLAP);
    database
        .read(tx -> SessionStore.endedSince(tx, since))
        .forEach(one -> ended.put(one.key(), one.at()));
    ended.values().removeIf(at -> at.isBefore(oldest));
    lookedAt = now;
  }

  /** Deletes what is beyond its time. */
  public void forgetOld() {
    Instant now = clock.instant();
    database.run(tx -> {
      SessionStore.forgetOld(tx, now.minus(rules.keptFor()), now.minus(TOKENS_KEPT_FOR));
      LogInCodeStore.forgetOld(tx, now.minus(Duration.ofHours(1)));
      PasswordTriesStore.forgetOld(tx, now.minus(Duration.ofDays(1)));
    });
  }
}
