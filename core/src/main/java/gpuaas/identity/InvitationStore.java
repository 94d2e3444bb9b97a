package gpuaas.identity;

import gpuaas.base.Role;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Invitations in the database. */
final class InvitationStore {

  private InvitationStore() {}

  static void add(Tx tx, Invitation invitation, byte[] hash) {
    tx.update(
            """
            insert into invitation (id, project_id, role, hash, made_by, made_at, expires_at)
            values (:id, :project, :role, :hash, :madeBy, :madeAt, :expiresAt)
            """)
        .bind("id", invitation.id())
        .bind("project", invitation.project())
        .bind("role", invitation.role().text())
        .bind("hash", hash)
        .bind("madeBy", invitation.madeBy())
        .bind("madeAt", invitation.madeAt())
        .bind("expiresAt", invitation.expiresAt())
        .execute();
  }

  static int countOpen(Tx tx, UUID project, Instant now) {
    return tx.query(
            "select count(*) from invitation where project_id = :project and accepted_by is null"
                + " and revoked_at is null and expires_at > :now")
        .bind("project", project)
        .bind("now", now)
        .mapTo(Integer.class)
        .one();
  }

  static void deleteExpired(Tx tx, Instant before) {
    tx.update("delete from invitation where expires_at < :before").bind("before", before).execute();
  }

  static List<Invitation> list(Tx tx, UUID project, Optional<Invitation> before, int limit) {
    return tx.query(
            """
            select * from invitation
             where project_id = :project
               and (:madeAt::timestamptz is null or (made_at, id) < (:madeAt, :id::uuid))
             order by made_at desc, id desc limit :limit
            """)
        .bind("project", project)
        .bind("madeAt", before.map(Invitation::madeAt).orElse(null))
        .bind("id", before.map(Invitation::id).orElse(null))
        .bind("limit", limit)
        .map(InvitationStore::read)
        .list();
  }

  static Optional<Invitation> find(Tx tx, UUID id) {
    return tx.query("select * from invitation where id = :id")
        .bind("id", id)
        .map(InvitationStore::read)
        .findOne();
  }

  static void revoke(Tx tx, UUID id, Instant now) {
    tx.update("update invitation set revoked_at = coalesce(revoked_at, :now) where id = :id")
        .bind("now", now)
        .bind("id", id)
        .execute();
  }

  /** Uses one up: of two who show it at once, one gets it. */
  static Optional<Invitation> take(Tx tx, byte[] hash, UUID person, Instant now) {
    return tx.query(
            """
            update invitation set accepted_by = :person
             where hash = :hash and accepted_by is null and revoked_at is null and expires_at > :now
            returning *
            """)
        .bind("person", person)
        .bind("hash", hash)
        .bind("now", now)
        .map(InvitationStore::read)
        .findOne();
  }

  private static Invitation read(RowView row) {
    return new Invitation(
        row.getColumn("id", UUID.class),
        row.getColumn("project_id", UUID.class),
        Role.of(row.getColumn("role", String.class)).orElseThrow(),
        row.getColumn("made_by", UUID.class),
        row.getColumn("made_at", Instant.class),
        row.getColumn("expires_at", Instant.class),
        Optional.ofNullable(row.getColumn("accepted_by", UUID.class)),
        Optional.ofNullable(row.getColumn("revoked_at", Instant.class)));
  }
}
