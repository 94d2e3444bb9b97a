package gpuaas.session;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.Optional;

/** Wrong passwords in the database. */
final class PasswordTriesStore {

  private PasswordTriesStore() {}

  /** Those of a name; nobody else changes them until the commit. */
  static PasswordTries lock(Tx tx, byte[] name, Instant now) {
    tx.update(
            "insert into password_tries (name_hash, failures, since) values (:name, 0, :now) on"
                + " conflict do nothing")
        .bind("name", name)
        .bind("now", now)
        .execute();
    return tx.query(
            "select failures, since, locked_until from password_tries where name_hash = :name for"
                + " update")
        .bind("name", name)
        .map(row ->
            new PasswordTries(
                row.getColumn("failures", Integer.class),
                row.getColumn("since", Instant.class),
                Optional.ofNullable(row.getColumn("locked_until", Instant.class))))
        .findOne()
        .orElseGet(() -> PasswordTries.none(now));
  }

  static void save(Tx tx, byte[] name, PasswordTries tries) {
    tx.update(
            "update password_tries set failures = :failures, since = :since, locked_until ="
                + " cast(:until as timestamptz) where name_hash = :name")
        .bind("failures", tries.failures())
        .bind("since", tries.since())
        .bind("until", tries.lockedUntil().orElse(null))
        .bind("name", name)
        .execute();
  }

  static void forget(Tx tx, byte[] name) {
    tx.update("delete from password_tries where name_hash = :name").bind("name", name).execute();
  }

  static void forgetOld(Tx tx, Instant before) {
    tx.update(
            "delete from password_tries where since < :before and (locked_until is null or"
                + " locked_until < :before)")
        .bind("before", before)
        .execute();
  }
}
