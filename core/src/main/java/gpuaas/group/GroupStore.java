package gpuaas.group;

import gpuaas.db.Tx;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseListStore;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Groups in the database. */
final class GroupStore {

  private GroupStore() {}

  static void add(Tx tx, Group group) {
    tx.update(
            """
            insert into lease_group (id, tenant_id, project_id, requested_by, name, made_at, correlation_id)
            values (:id, :tenant, :project, :requestedBy, :name, :at, :correlation)
            """)
        .bind("id", group.id())
        .bind("tenant", group.tenant())
        .bind("project", group.project())
        .bind("requestedBy", group.requestedBy())
        .bind("name", group.name())
        .bind("at", group.createdAt())
        .bind("correlation", group.correlationId())
        .execute();
  }

  static Optional<Group> find(Tx tx, UUID id) {
    return tx.query("select * from lease_group where id = :id")
        .bind("id", id)
        .map(GroupStore::group)
        .findOne();
  }

  /** Of a project, newest first; {@code before} is where the last page ended. */
  static List<Group> list(Tx tx, UUID project, Optional<Group> before, int limit) {
    return tx.query(
            """
            select * from lease_group
             where project_id = :project
               and (:at::timestamptz is null or (made_at, id) < (:at, :id::uuid))
             order by made_at desc, id desc limit :limit
            """)
        .bind("project", project)
        .bind("at", before.map(Group::createdAt).orElse(null))
        .bind("id", before.map(Group::id).orElse(null))
        .bind("limit", limit)
        .map(GroupStore::group)
        .list();
  }

  /** Its leases, in the order they were asked for. */
  static List<Lease> leases(Tx tx, Group group) {
    return LeaseListStore.list(
            tx,
            Optional.of(group.project()),
            LeaseListStore.Filter.of(group.id()),
            Optional.empty(),
            Groups.LEASES_MOST)
        .reversed();
  }

  private static Group group(RowView row) {
    return new Group(
        row.getColumn("id", UUID.class),
        row.getColumn("tenant_id", UUID.class),
        row.getColumn("project_id", UUID.class),
        row.getColumn("requested_by", UUID.class),
        row.getColumn("name", String.class),
        row.getColumn("made_at", Instant.class),
        row.getColumn("correlation_id", String.class));
  }
}
