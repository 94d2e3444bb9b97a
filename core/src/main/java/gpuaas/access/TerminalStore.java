package gpuaas.access;

import gpuaas.access.Terminals.Redeemed.Opened;
import gpuaas.base.Credential;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/** Terminal tokens in the database, as hashes. */
final class TerminalStore {

  private TerminalStore() {}

  static void add(Tx tx, byte[] hash, Opened opens, Instant expiresAt) {
    tx.update(
            """
            insert into terminal_token (hash, lease_id, person_id, credential, made_at, expires_at)
            values (:hash, :lease, :person, :credential, :madeAt, :expiresAt)
            """)
        .bind("hash", hash)
        .bind("lease", opens.lease())
        .bind("person", opens.person())
        .bind("credential", opens.credential().text())
        .bind("madeAt", opens.askedAt())
        .bind("expiresAt", expiresAt)
        .execute();
  }

  static void deleteExpired(Tx tx, Instant now) {
    tx.update("delete from terminal_token where expires_at <= :now").bind("now", now).execute();
  }

  /** Deletes the token and says whose it was. */
  static Optional<Opened> take(Tx tx, byte[] hash, Instant now) {
    return tx.query(
            "delete from terminal_token where hash = :hash and expires_at > :now returning"
                + " lease_id, person_id, credential, made_at")
        .bind("hash", hash)
        .bind("now", now)
        .map(row ->
            new Opened(
                row.getColumn("lease_id", UUID.class),
                row.getColumn("person_id", UUID.class),
                Credential.of(row.getColumn("credential", String.class)),
                row.getColumn("made_at", Instant.class)))
        .findOne();
  }
}
