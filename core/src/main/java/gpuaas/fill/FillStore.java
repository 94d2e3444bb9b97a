package gpuaas.fill;

import gpuaas.db.Tx;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Disks in use, and what those who use them were told. */
final class FillStore {

  private static final int MOST = 10_000;

  private FillStore() {}

  /**
   * A disk that is the home folder of a running lease.
   *
   * @param usedBytes as last seen
   * @param told the threshold that the lease was last told of; 0: none
   */
  record InUse(UUID disk, String name, long sizeBytes, long usedBytes, UUID lease, int told) {}

  /** Those of a provider. */
  static List<InUse> inUse(Tx tx, String provider) {
    return tx.query(
            """
            select disk.id, disk.name, disk.size_bytes, disk.used_bytes, lease.id as lease_id,
                   case when disk.told_lease = lease.id then disk.told_percent else 0 end as told
              from disk join lease on lease.disk_id = disk.id and lease.state = 'running'
             where disk.provider = :provider and disk.state = 'ready' order by disk.id limit :most
            """)
        .bind("provider", provider)
        .bind("most", MOST)
        .map(row ->
            new InUse(
                row.getColumn("id", UUID.class),
                row.getColumn("name", String.class),
                row.getColumn("size_bytes", Long.class),
                row.getColumn("used_bytes", Long.class),
                row.getColumn("lease_id", UUID.class),
                row.getColumn("told", Integer.class)))
        .list();
  }

  /** Whether a provider has any disk. */
  static boolean isAny(Tx tx, String provider) {
    return tx.query("select exists (select from disk where provider = :provider)")
        .bind("provider", provider)
        .mapTo(Boolean.class)
        .one();
  }

  /** Writes what is on disks now. */
  static void used(Tx tx, Map<UUID, Long> bytes) {
    if (bytes.isEmpty()) {
      return;
    }
    var batch = tx.batch("update disk set used_bytes = :used where id = :id");
    bytes.forEach((id, used) -> batch.bind("id", id).bind("used", used).add());
    batch.execute();
  }

  /** Notes what a lease is told; false: another server did meanwhile. The lease is locked. */
  static boolean told(Tx tx, InUse before, int percent) {
    return tx.update(
                """
                update disk set told_percent = :after, told_lease = :lease
                 where id = :id and case when told_lease = :lease then told_percent else 0 end = :before
                """)
            .bind("after", percent)
            .bind("lease", before.lease())
            .bind("id", before.disk())
            .bind("before", before.told())
            .execute()
        == 1;
  }
}
