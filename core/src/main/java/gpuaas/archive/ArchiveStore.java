package gpuaas.archive;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jdbi.v3.core.result.RowView;

/** The archives in the database. */
final class ArchiveStore {

  private static final int NAMES_MOST = 100_000;

  private ArchiveStore() {}

  /** False: somebody wrote one of this lease before. */
  static boolean add(Tx tx, Archive archive) {
    return tx.update(
                """
                insert into archive (lease_id, project_id, name, file_name, bytes, sha256, problem, made_at, kept_until)
                values (:lease, :project, :name, :file, :bytes, :sha256, :problem, :madeAt, :keptUntil)
                on conflict do nothing
                """)
            .bind("lease", archive.lease())
            .bind("project", archive.project())
            .bind("name", archive.name())
            .bind("file", archive.file().map(Archive.Kept::fileName).orElse(null))
            .bind("bytes", archive.file().map(Archive.Kept::bytes).orElse(0L))
            .bind("sha256", archive.file().map(Archive.Kept::sha256).orElse(null))
            .bind("problem", archive.problem())
            .bind("madeAt", archive.madeAt())
            .bind("keptUntil", archive.keptUntil())
            .execute()
        == 1;
  }

  static Optional<Archive> find(Tx tx, UUID lease) {
    return tx.query("select * from archive where lease_id = :lease")
        .bind("lease", lease)
        .map(ArchiveStore::read)
        .findOne();
  }

  /** The newest that is there. */
  static Optional<Archive> newest(Tx tx, UUID project, String name) {
    return tx.query(
            """
            select * from archive
             where project_id = :project and name = :name and file_name is not null
             order by made_at desc, lease_id desc limit 1
            """)
        .bind("project", project)
        .bind("name", name)
        .map(ArchiveStore::read)
        .findOne();
  }

  /** Forgets what is too old, and of each name all but the newest. */
  static void forget(Tx tx, Instant now, int keptMost) {
    tx.update("delete from archive where kept_until < :now").bind("now", now).execute();
    tx.update(
            """
            delete from archive where lease_id in (
              select lease_id from (
                select lease_id, row_number() over (partition by project_id, name order by made_at desc, lease_id desc) as nth
                  from archive where file_name is not null) numbered
               where nth > :most)
            """)
        .bind("most", keptMost)
        .execute();
  }

  /** Of these files, those that some archive is kept in. */
  static Set<String> known(Tx tx, List<String> fileNames) {
    return tx
        .query("select file_name from archive where file_name = any(:names) limit :most")
        .bindArray("names", String.class, fileNames)
        .bind("most", NAMES_MOST)
        .mapTo(String.class)
        .list()
        .stream()
        .collect(Collectors.toSet());
  }

  private static Archive read(RowView row) {
    long bytes = row.getColumn("bytes", Long.class);
    String sha256 = row.getColumn("sha256", String.class);
    return new Archive(
        row.getColumn("lease_id", UUID.class),
        row.getColumn("project_id", UUID.class),
        row.getColumn("name", String.class),
        Optional.ofNullable(row.getColumn("file_name", String.class))
            .map(file -> new Archive.Kept(file, bytes, sha256)),
        row.getColumn("problem", String.class),
        row.getColumn("made_at", Instant.class),
        row.getColumn("kept_until", Instant.class));
  }
}
