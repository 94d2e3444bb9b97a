package gpuaas.disk;

import gpuaas.db.Tx;
import gpuaas.disk.Disk.Operation;
import gpuaas.disk.Disk.Snapshot;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;
import org.jspecify.annotations.Nullable;

/** Disks and their snapshots in the database. */
final class DiskStore {

  private static final int LISTED_MOST = 1000;
  private static final int SNAPSHOTS_LISTED_MOST = 1000;

  private static final String SELECT =
      """
      select disk.*, holder.id as held_by,
             (select count(*)::int from disk_snapshot s where s.disk_id = disk.id and s.state = 'ready') as snapshots,
             exists (select 1 from disk_snapshot s where s.disk_id = disk.id and s.state = 'making') as backing_up
        from disk left join lease holder on holder.disk_id = disk.id and holder.state <> 'ended'
      """;

  private DiskStore() {}

  static void add(Tx tx, Disk disk) {
    tx.update(
            """
            insert into disk (id, project_id, person_id, name, provider, size_bytes, origin, state, made_at,
              operation_id, operation, operation_status, operation_at, operation_told)
            values (:id, :project, :person, :name, :provider, :size, :origin::uuid, 'making', :madeAt,
              :operation, :kind, 'queued', :madeAt, :madeAt)
            """)
        .bind("id", disk.id())
        .bind("project", disk.project())
        .bind("person", disk.person())
        .bind("name", disk.name())
        .bind("provider", disk.provider())
        .bind("size", disk.sizeBytes())
        .bind("origin", disk.origin().orElse(null))
        .bind("madeAt", disk.madeAt())
        .bind("operation", disk.operation().id())
        .bind("kind", disk.operation().kind().name())
        .execute();
  }

  static Optional<Disk> find(Tx tx, UUID id) {
    return tx.query(SELECT + "where disk.id = :id").bind("id", id).map(DiskStore::read).findOne();
  }

  static Optional<Disk> find(Tx tx, UUID project, String name) {
    return tx.query(SELECT + "where disk.project_id = :project and disk.name = :name")
        .bind("project", project)
        .bind("name", name)
        .map(DiskStore::read)
        .findOne();
  }

  /** Holds the row until the end of the transaction. */
  static void lock(Tx tx, UUID id) {
    tx.query("select 1 from disk where id = :id for update")
        .bind("id", id)
        .mapTo(Integer.class)
        .list();
  }

  /** Those of a project, newest first. */
  static List<Disk> list(Tx tx, UUID project) {
    return tx.query(
            SELECT
                + "where disk.project_id = :project order by disk.made_at desc, disk.id desc limit"
                + " :most")
        .bind("project", project)
        .bind("most", LISTED_MOST)
        .map(DiskStore::read)
        .list();
  }

  static void rename(Tx tx, UUID id, String name) {
    tx.update("update disk set name = :name where id = :id")
        .bind("name", name)
        .bind("id", id)
        .execute();
  }

  /** How many snapshots have the new name now. */
  static int renameSnapshots(Tx tx, UUID id, String name) {
    return tx.update("update disk_snapshot set disk_name = :name where disk_id = :id")
        .bind("name", name)
        .bind("id", id)
        .execute();
  }

  static void givenUp(Tx tx, UUID id, @Nullable Instant at, @Nullable Instant deleteAt) {
    tx.update(
            "update disk set deleted_at = :at::timestamptz, delete_at = :deleteAt::timestamptz"
                + " where id = :id")
        .bind("at", at)
        .bind("deleteAt", deleteAt)
        .bind("id", id)
        .execute();
  }

  static void asked(Tx tx, UUID id, Operation operation) {
    tx.update(
            """
            update disk set operation_id = :operation, operation = :kind, operation_status = :status,
              operation_error = :error, operation_at = :at, operation_told = :told where id = :id
            """)
        .bind("operation", operation.id())
        .bind("kind", operation.kind().name())
        .bind("status", operation.status().name().toLowerCase(Locale.ROOT))
        .bind("error", operation.error())
        .bind("at", operation.askedAt())
        .bind("told", operation.toldAt())
        .bind("id", id)
        .execute();
  }

  /** What was asked last of these kinds, and is not done, came to this. */
  static void came(Tx tx, UUID id, List<Operation.Kind> kinds, String error, Instant now) {
    tx.update(
            """
            update disk set operation_status = :status, operation_error = :error, operation_told = :now
             where id = :id and operation_status = 'queued' and operation = any(:kinds)
            """)
        .bind("status", error.isEmpty() ? "completed" : "failed")
        .bind("error", error)
        .bind("now", now)
        .bind("id", id)
        .bindArray("kinds", String.class, kinds.stream().map(Enum::name).toList())
        .execute();
  }

  static void state(Tx tx, UUID id, Disk.State state) {
    tx.update("update disk set state = :state where id = :id")
        .bind("state", state.name().toLowerCase(Locale.ROOT))
        .bind("id", id)
        .execute();
  }

  static void used(Tx tx, UUID id, long usedBytes) {
    tx.update("update disk set used_bytes = :used where id = :id")
        .bind("used", usedBytes)
        .bind("id", id)
        .execute();
  }

  static void lastUsed(Tx tx, UUID id, Instant now) {
    tx.update("update disk set last_used_at = :now where id = :id")
        .bind("now", now)
        .bind("id", id)
        .execute();
  }

  static void forget(Tx tx, UUID id) {
    tx.update("delete from disk where id = :id").bind("id", id).execute();
  }

  // --- snapshots ---

  static void addSnapshot(
      Tx tx, UUID id, UUID disk, Snapshot.Kind kind, Optional<UUID> lease, Instant now) {
    tx.update(
            """
            insert into disk_snapshot (id, disk_id, disk_name, kind, state, lease_id, made_at)
            select :id, disk.id, disk.name, :kind, 'making', :lease::uuid, :now from disk where disk.id = :disk
            on conflict do nothing
            """)
        .bind("id", id)
        .bind("kind", kind.name().toLowerCase(Locale.ROOT))
        .bind("lease", lease.orElse(null))
        .bind("now", now)
        .bind("disk", disk)
        .execute();
  }

  /** Those of a disk, newest first. */
  static List<Snapshot> snapshots(Tx tx, UUID disk) {
    return tx.query(
            "select * from disk_snapshot where disk_id = :disk order by made_at desc, id desc limit"
                + " :most")
        .bind("disk", disk)
        .bind("most", SNAPSHOTS_LISTED_MOST)
        .map(DiskStore::readSnapshot)
        .list();
  }

  static void snapshotMade(Tx tx, UUID id, long usedBytes, String content) {
    tx.update(
            "update disk_snapshot set state = 'ready', used_bytes = :used, content = :content where"
                + " id = :id")
        .bind("used", usedBytes)
        .bind("content", content)
        .bind("id", id)
        .execute();
  }

  static void snapshotFailed(Tx tx, UUID id, String problem) {
    tx.update("update disk_snapshot set state = 'failed', problem = :problem where id = :id")
        .bind("problem", problem)
        .bind("id", id)
        .execute();
  }

  static void forgetSnapshot(Tx tx, UUID id) {
    tx.update("delete from disk_snapshot where id = :id").bind("id", id).execute();
  }

  // --- rows ---

  private static Snapshot readSnapshot(RowView row) {
    return new Snapshot(
        row.getColumn("id", UUID.class),
        row.getColumn("disk_id", UUID.class),
        row.getColumn("disk_name", String.class),
        Snapshot.Kind.valueOf(row.getColumn("kind", String.class).toUpperCase(Locale.ROOT)),
        Disk.State.valueOf(row.getColumn("state", String.class).toUpperCase(Locale.ROOT)),
        row.getColumn("used_bytes", Long.class),
        row.getColumn("content", String.class),
        row.getColumn("made_at", Instant.class));
  }

  private static Disk read(RowView row) {
    return new Disk(
        row.getColumn("id", UUID.class),
        row.getColumn("project_id", UUID.class),
        row.getColumn("person_id", UUID.class),
        row.getColumn("name", String.class),
        row.getColumn("provider", String.class),
        row.getColumn("size_bytes", Long.class),
        row.getColumn("used_bytes", Long.class),
        Optional.ofNullable(row.getColumn("origin", UUID.class)),
        Disk.State.valueOf(row.getColumn("state", String.class).toUpperCase(Locale.ROOT)),
        row.getColumn("made_at", Instant.class),
        Optional.ofNullable(row.getColumn("last_used_at", Instant.class)),
        Optional.ofNullable(row.getColumn("deleted_at", Instant.class)),
        Optional.ofNullable(row.getColumn("delete_at", Instant.class)),
        new Operation(
            row.getColumn("operation_id", UUID.class),
            Operation.Kind.valueOf(row.getColumn("operation", String.class)),
            Operation.Status.valueOf(
                row.getColumn("operation_status", String.class).toUpperCase(Locale.ROOT)),
            row.getColumn("operation_error", String.class),
            row.getColumn("operation_at", Instant.class),
            row.getColumn("operation_told", Instant.class)),
        Optional.ofNullable(row.getColumn("held_by", UUID.class)),
        row.getColumn("snapshots", Integer.class),
        row.getColumn("backing_up", Boolean.class));
  }
}
