package gpuaas.command;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Commands and their output in the database. */
final class CommandStore {

  private static final int FORGOTTEN_AT_ONCE = 100;

  private CommandStore() {}

  static void begun(Tx tx, UUID lease, Instant now) {
    tx.update(
            "insert into command (lease_id, started_at) values (:lease, :now) on conflict do"
                + " nothing")
        .bind("lease", lease)
        .bind("now", now)
        .execute();
  }

  static Optional<Command> find(Tx tx, UUID lease) {
    return of(tx, List.of(lease)).stream().findFirst();
  }

  static List<Command> of(Tx tx, List<UUID> leases) {
    return tx.query("select * from command where lease_id = any(:leases) limit 1000")
        .bindArray("leases", UUID.class, leases)
        .map(CommandStore::read)
        .list();
  }

  private static Command read(RowView row) {
    Instant exitedAt = row.getColumn("exited_at", Instant.class);
    Optional<Command.Exit> exit =
        exitedAt == null
            ? Optional.empty()
            : Optional.of(new Command.Exit(row.getColumn("exit_code", Integer.class), exitedAt));
    return new Command(
        row.getColumn("lease_id", UUID.class),
        row.getColumn("started_at", Instant.class),
        exit,
        row.getColumn("output_bytes", Long.class),
        row.getColumn("problem", String.class));
  }

  /** Keeps a part of its output; false: somebody else has kept it, or more. */
  static boolean add(Tx tx, UUID lease, Command.Output part) {
    int moved =
        tx.update(
                "update command set output_bytes = :end where lease_id = :lease and output_bytes ="
                    + " :position")
            .bind("lease", lease)
            .bind("position", part.position())
            .bind("end", part.end())
            .execute();
    if (moved == 0) {
      return false;
    }
    tx.update(
            "insert into command_output (lease_id, position, bytes) values (:lease, :position,"
                + " :bytes)")
        .bind("lease", lease)
        .bind("position", part.position())
        .bind("bytes", part.bytes())
        .execute();
    return true;
  }

  static void problem(Tx tx, UUID lease, String problem) {
    tx.update("update command set problem = :problem where lease_id = :lease")
        .bind("lease", lease)
        .bind("problem", problem)
        .execute();
  }

  /** Its end is written once, and stays. */
  static boolean exited(Tx tx, UUID lease, Command.Exit exit) {
    return tx.update(
                "update command set exit_code = :code, exited_at = :at where lease_id = :lease and"
                    + " exited_at is null")
            .bind("lease", lease)
            .bind("code", exit.code())
            .bind("at", exit.at())
            .execute()
        == 1;
  }

  /** The parts that hold bytes from this position on, in order, whole. */
  static List<Command.Output> parts(Tx tx, UUID lease, long from, int partsMost) {
    return tx.query(
            """
            select position, bytes from command_output
             where lease_id = :lease and position + length(bytes) > :from
             order by position limit :most
            """)
        .bind("lease", lease)
        .bind("from", from)
        .bind("most", partsMost)
        .map(row ->
            new Command.Output(
                row.getColumn("position", Long.class), row.getColumn("bytes", byte[].class)))
        .list();
  }

  /** Forgets some of those whose leases ended before this; how many. */
  static int forget(Tx tx, Instant endedBefore) {
    return tx.update(
            """
            with old as (
              select command.lease_id from command join lease on lease.id = command.lease_id
               where lease.state = 'ended' and lease.ended_at < :before
               limit :most),
            output as (delete from command_output where lease_id in (select lease_id from old))
            delete from command where lease_id in (select lease_id from old)
            """)
        .bind("before", endedBefore)
        .bind("most", FORGOTTEN_AT_ONCE)
        .execute();
  }
}
