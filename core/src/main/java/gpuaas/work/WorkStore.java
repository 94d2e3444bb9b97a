package gpuaas.work;

import gpuaas.db.Batch;
import gpuaas.db.Insert;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
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

  private WorkStore() {}

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
