package gpuaas.session;

import gpuaas.db.Tx;
import gpuaas.session.Session.Visitor;
import gpuaas.session.Session.Way;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Sessions and their refresh tokens in the database. */
final class SessionStore {

  private static final int SHOWN_MOST = 200;

  private SessionStore() {}

  /** Adds it, unless its provider's session is there already. */
  static boolean add(Tx tx, Session session) {
    return tx.update(
                """
                insert into account_session (id, person_id, provider, provider_session_id, user_agent,
                  ip_address, signed_in_at, last_seen_at, expires_at)
                values (:id, :person, :provider, :key, :userAgent, :address, :signedInAt, :lastSeenAt, :expiresAt)
                on conflict (provider_session_id) do nothing
                """)
            .bind("id", session.id())
            .bind("person", session.person())
            .bind("provider", session.provider().name().toLowerCase(Locale.ROOT))
            .bind("key", session.key())
            .bind("userAgent", session.visitor().userAgent())
            .bind("address", session.visitor().address())
            .bind("signedInAt", session.signedInAt())
            .bind("lastSeenAt", session.lastSeenAt())
            .bind("expiresAt", session.expiresAt())
            .execute()
        == 1;
  }

  static Optional<Session> lock(Tx tx, UUID id) {
    return tx.query("select * from account_session where id = :id for update")
        .bind("id", id)
        .map(SessionStore::session)
        .findOne();
  }

  /** Of one person, open ones only, newest first. */
  static List<Session> open(Tx tx, UUID person, Instant now) {
    return tx.query(
            "select * from account_session where person_id = :person and (revoked_at is null or"
                + " revoked_at < signed_in_at) and expires_at > :now order by signed_in_at desc, id"
                + " desc limit :most")
        .bind("person", person)
        .bind("now", now)
        .bind("most", SHOWN_MOST)
        .map(SessionStore::session)
        .list();
  }

  /**
   * One of another provider, by a token that was issued then: added, gone on with, or signed in
   * again after it was ended here. False: it was ended here after that.
   */
  static boolean met(Tx tx, Session session, Instant issuedAt) {
    return add(tx, session)
        || tx.update(
                    """
                    update account_session set last_seen_at = greatest(last_seen_at, :now),
                      expires_at = greatest(expires_at, :expiresAt),
                      signed_in_at = case when revoked_at >= signed_in_at then :now else signed_in_at end
                    where provider_session_id = :key and person_id = :person
                      and (revoked_at is null or revoked_at < :issuedAt)
                    """)
                .bind("now", session.lastSeenAt())
                .bind("expiresAt", session.expiresAt())
                .bind("key", session.key())
                .bind("person", session.person())
                .bind("issuedAt", issuedAt)
                .execute()
            == 1;
  }

  static void goOn(Tx tx, UUID id, Instant now, Instant expiresAt) {
    tx.update(
            "update account_session set last_seen_at = :now, expires_at = :expiresAt where id ="
                + " :id")
        .bind("now", now)
        .bind("expiresAt", expiresAt)
        .bind("id", id)
        .execute();
  }

  static void seen(Tx tx, String key, Instant now) {
    tx.update(
            "update account_session set last_seen_at = :now where provider_session_id = :key and"
                + " last_seen_at < :now")
        .bind("now", now)
        .bind("key", key)
        .execute();
  }

  /** A session that was ended just now. */
  record Revoked(String key, UUID person) {}

  /** Ends one that is not ended. */
  static Optional<Revoked> revoke(Tx tx, UUID id, Optional<UUID> by, String reason, Instant now) {
    return tx.query(
            "update account_session set revoked_at = :now, revoked_by = cast(:by as uuid),"
                + " revoke_reason = :reason where id = :id and (revoked_at is null or revoked_at <"
                + " signed_in_at) returning provider_session_id, person_id")
        .bind("now", now)
        .bind("by", by.orElse(null))
        .bind("reason", reason)
        .bind("id", id)
        .map(row ->
            new Revoked(
                row.getColumn("provider_session_id", String.class),
                row.getColumn("person_id", UUID.class)))
        .findOne();
  }

  static Optional<UUID> byKey(Tx tx, UUID person, String key) {
    return tx.query(
            "select id from account_session where person_id = :person and provider_session_id ="
                + " :key")
        .bind("person", person)
        .bind("key", key)
        .mapTo(UUID.class)
        .findOne();
  }

  static List<UUID> openIds(Tx tx, UUID person) {
    return tx.query(
            "select id from account_session where person_id = :person and (revoked_at is null or"
                + " revoked_at < signed_in_at)")
        .bind("person", person)
        .mapTo(UUID.class)
        .list();
  }

  /** An ended session, as tokens call it, and when it ended. */
  record Ended(String key, Instant at) {}

  static List<Ended> endedSince(Tx tx, Instant since) {
    return tx.query(
            "select provider_session_id, revoked_at from account_session where revoked_at > :since")
        .bind("since", since)
        .map(row ->
            new Ended(
                row.getColumn("provider_session_id", String.class),
                row.getColumn("revoked_at", Instant.class)))
        .list();
  }

  static void addRefreshToken(Tx tx, byte[] hash, UUID session, Instant expiresAt) {
    tx.update(
            "insert into refresh_token (hash, session_id, expires_at) values (:hash, :session,"
                + " :expiresAt)")
        .bind("hash", hash)
        .bind("session", session)
        .bind("expiresAt", expiresAt)
        .execute();
  }

  /** Marks it used; its session, if it was good. */
  static Optional<UUID> takeRefreshToken(Tx tx, byte[] hash, Instant now) {
    return tx.query(
            "update refresh_token set used_at = :now where hash = :hash and used_at is null and"
                + " expires_at > :now returning session_id")
        .bind("hash", hash)
        .bind("now", now)
        .mapTo(UUID.class)
        .findOne();
  }

  /** The session of a refresh token that was used, or may be. */
  static Optional<UUID> sessionOf(Tx tx, byte[] hash, boolean used) {
    return tx.query(
            "select session_id from refresh_token where hash = :hash and (used_at is not null) ="
                + " :used")
        .bind("hash", hash)
        .bind("used", used)
        .mapTo(UUID.class)
        .findOne();
  }

  /** Deletes what is beyond its time. */
  static void forgetOld(Tx tx, Instant sessionsBefore, Instant tokensBefore) {
    tx.update("delete from refresh_token where expires_at < :before")
        .bind("before", tokensBefore)
        .execute();
    tx.update("delete from account_session where expires_at < :before")
        .bind("before", sessionsBefore)
        .execute();
  }

  private static Session session(RowView row) {
    return new Session(
        row.getColumn("id", UUID.class),
        row.getColumn("person_id", UUID.class),
        Way.valueOf(row.getColumn("provider", String.class).toUpperCase(Locale.ROOT)),
        row.getColumn("provider_session_id", String.class),
        new Visitor(
            row.getColumn("ip_address", String.class), row.getColumn("user_agent", String.class)),
        row.getColumn("signed_in_at", Instant.class),
        row.getColumn("last_seen_at", Instant.class),
        row.getColumn("expires_at", Instant.class),
        Optional.ofNullable(row.getColumn("revoked_at", Instant.class)));
  }
}
