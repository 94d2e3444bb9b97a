package gpuaas.access;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Guests of leases in the database. */
final class GuestStore {

  private static final int GUESTS_MOST = 1000;

  private GuestStore() {}

  /** False: they are one already. */
  static boolean add(Tx tx, UUID lease, String name, boolean owner, Instant now) {
    return tx.update(
                """
                insert into lease_guest (lease_id, name, owner, added_at) values (:lease, :name, :owner, :now)
                on conflict do nothing
                """)
            .bind("lease", lease)
            .bind("name", name)
            .bind("owner", owner)
            .bind("now", now)
            .execute()
        == 1;
  }

  static boolean remove(Tx tx, UUID lease, String name) {
    return tx.update("delete from lease_guest where lease_id = :lease and name = :name")
            .bind("lease", lease)
            .bind("name", name)
            .execute()
        == 1;
  }

  static List<Guest> of(Tx tx, List<UUID> leases) {
    return tx.query(
            "select * from lease_guest where lease_id = any(:leases) order by added_at, name limit"
                + " :most")
        .bindArray("leases", UUID.class, leases)
        .bind("most", GUESTS_MOST)
        .map(GuestStore::read)
        .list();
  }

  static void fetched(Tx tx, Guest guest, Instant now) {
    tx.update(
            """
            update lease_guest set keys = :keys, problem = :problem, fetched_at = :now
             where lease_id = :lease and name = :name
            """)
        .bindArray("keys", String.class, guest.keys())
        .bind("problem", guest.problem())
        .bind("now", now)
        .bind("lease", guest.lease())
        .bind("name", guest.name())
        .execute();
  }

  /** True while somebody may use the lease, or will. */
  static boolean isLiving(Tx tx, UUID lease) {
    return tx.query(
            "select exists (select 1 from lease where id = :lease and state not in ('stopping',"
                + " 'ended'))")
        .bind("lease", lease)
        .mapTo(Boolean.class)
        .one();
  }

  private static Guest read(RowView row) {
    return new Guest(
        row.getColumn("lease_id", UUID.class),
        row.getColumn("name", String.class),
        row.getColumn("owner", Boolean.class),
        List.of(row.getColumn("keys", String[].class)),
        row.getColumn("problem", String.class));
  }
}
