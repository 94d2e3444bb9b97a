package gpuaas.work;

import gpuaas.db.Batch;
import gpuaas.db.Claims;
import gpuaas.db.Insert;
import gpuaas.db.Rows;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import org.jdbi.v3.core.statement.Query;
import org.jdbi.v3.core.statement.SqlStatement;

/** Puts work down in the transaction of the change that needs it. */
public final class WorkStore {

  private record Due(String kind, UUID id, Instant at) {}

  private static final Insert<Due> ROWS =
      Insert.<Due>into("work")
          .with("task_name", "text", Due::kind)
          .with("task_instance", "text", Due::id)
          .with("execution_time", "timestamptz", Due::at)
          .with("picked", "boolean", _ -> false)
          .with("version", "bigint", _ -> 1)
          .then(
              """
              on conflict (task_name, task_instance) do update
                set execution_time = least(work.execution_time, excluded.execution_time), version = work.version + 1
                where not work.picked
              """);

  private static final Batch<Due> DUE =
      new Batch<>() {

        // In order, so that no two wait for each other; each once, as a statement may name it.
        @Override
        public List<Due> prepare(List<Due> all) {
          Map<String, Due> soonest = new TreeMap<>();
          for (Due due : all) {
            soonest.merge(
                due.kind() + " " + due.id(), due, (a, b) -> a.at().isBefore(b.at()) ? a : b);
          }
          return List.copyOf(soonest.values());
        }

        @Override
        public String sql(int rows) {
          return ROWS.sql(rows);
        }

        @Override
        public void bind(SqlStatement<?> statement, List<Due> rows) {
          ROWS.bind(statement, rows);
        }
      };

  /**
   * Work that somebody has done for now.
   *
   * @param version as it was picked
   * @param next when to look again; empty: never
   */
  record Finished(String kind, String id, long version, Optional<Instant> next, Instant at) {}

  private static final Rows<Finished> FINISHED_ROWS =
      Rows.<Finished>called("finished")
          .with("task_name", "text", Finished::kind)
          .with("task_instance", "text", Finished::id)
          .with("version", "bigint", Finished::version)
          .with("next", "timestamptz", it -> it.next().orElse(null))
          .with("at", "timestamptz", Finished::at);

  /** Gives work back, or forgets it, as long as it is still in the hands of whoever did it. */
  static final Claims<Finished> FINISHED =
      new Claims<>() {
        @Override
        public Object key(Finished row) {
          return row.kind() + " " + row.id();
        }

        @Override
        public Set<Object> write(Tx tx, List<Finished> rows) {
          return finish(tx, rows);
        }
      };

  // The locks are taken in the same order as by those who make work due.
  private static final String FINISH =
      """
      with finished as materialized (select * from %s),
      held as materialized (
        select finished.task_name, finished.task_instance, finished.next, finished.at
          from finished join work on work.task_name = finished.task_name
           and work.task_instance = finished.task_instance and work.version = finished.version and work.picked
         order by work.task_name collate "C", work.task_instance collate "C" for update of work),
      forgotten as (
        delete from work using held
         where work.task_name = held.task_name and work.task_instance = held.task_instance and held.next is null
        returning work.task_name, work.task_instance),
      given_back as (
        update work set picked = false, picked_by = null, last_heartbeat = null, last_success = held.at,
               consecutive_failures = 0, execution_time = held.next, version = work.version + 1
          from held
         where work.task_name = held.task_name and work.task_instance = held.task_instance and held.next is not null
        returning work.task_name, work.task_instance)
      select task_name || ' ' || task_instance from forgotten
      union all
      select task_name || ' ' || task_instance from given_back
      """
          .formatted(FINISHED_ROWS.table());

  private WorkStore() {}

  private static Set<Object> finish(Tx tx, List<Finished> rows) {
    Query query = tx.query(FINISH);
    FINISHED_ROWS.bind(query, rows);
    return new HashSet<>(query.mapTo(String.class).list());
  }

  /**
   * From now on this is to be looked at, at this time or sooner. Somebody who is at it right now is
   * told by {@link WorkLoop#wake}.
   */
  public static void due(Tx tx, String kind, UUID id, Instant at) {
    tx.later(DUE, new Due(kind, id, at));
  }

  /**
   * Frees what a server of this name had picked when it died; called before its loop starts again.
   */
  static void forgetPicks(Tx tx, String server) {
    tx.update(
            "update work set picked = false, picked_by = null, version = version + 1 where picked"
                + " and picked_by = :server")
        .bind("server", server)
        .execute();
  }
}
