package gpuaas.session;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Codes of the log-in page in the database. */
final class LogInCodeStore {

  private LogInCodeStore() {}

  static void add(Tx tx, byte[] hash, LogInCodes.Asked asked, Instant now, Instant expiresAt) {
    tx.update(
            """
            insert into log_in_code (hash, person_id, client_id, redirect_uri, challenge, nonce, scope, made_at, expires_at)
            values (:hash, :person, :client, :redirectUri, :challenge, :nonce, :scope, :now, :expiresAt)
            """)
        .bind("hash", hash)
        .bind("person", asked.person())
        .bind("client", asked.clientId())
        .bind("redirectUri", asked.redirectUri())
        .bind("challenge", asked.challenge())
        .bind("nonce", asked.nonce().orElse(null))
        .bind("scope", asked.scope())
        .bind("now", now)
        .bind("expiresAt", expiresAt)
        .execute();
  }

  /** Marks it used; what it was given for, if it was good. */
  static Optional<LogInCodes.Asked> take(Tx tx, byte[] hash, Instant now) {
    return tx.query(
            "update log_in_code set used_at = :now where hash = :hash and used_at is null and"
                + " expires_at > :now returning *")
        .bind("hash", hash)
        .bind("now", now)
        .map(LogInCodeStore::asked)
        .findOne();
  }

  static void gave(Tx tx, byte[] hash, UUID session) {
    tx.update("update log_in_code set session_id = :session where hash = :hash")
        .bind("session", session)
        .bind("hash", hash)
        .execute();
  }

  /** The session that a code began. */
  static Optional<UUID> sessionOf(Tx tx, byte[] hash) {
    return tx.query(
            "select session_id from log_in_code where hash = :hash and session_id is not null")
        .bind("hash", hash)
        .mapTo(UUID.class)
        .findOne();
  }

  static void forgetOld(Tx tx, Instant before) {
    tx.update("delete from log_in_code where expires_at < :before")
        .bind("before", before)
        .execute();
  }

  private static LogInCodes.Asked asked(RowView row) {
    return new LogInCodes.Asked(
        row.getColumn("person_id", UUID.class),
        row.getColumn("client_id", String.class),
        row.getColumn("redirect_uri", String.class),
        row.getColumn("challenge", String.class),
        Optional.ofNullable(row.getColumn("nonce", String.class)),
        row.getColumn("scope", String.class));
  }
}
