package gpuaas.work;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.UUID;

/** Puts work down in the transaction of the change that needs it. */
public final class WorkStore {

  private WorkStore() {}

  /**
   * From now on this is to be looked at, at this time or sooner. Somebody who is at it right now is
   * told by {@link WorkLoop#wake}.
   */
  public static void due(Tx tx, String kind, UUID id, Instant at) {
    tx.update(
            """
            insert into work (task_name, task_instance, execution_time, picked, version)
            values (:kind, :id, :at, false, 1)
            on conflict (task_name, task_instance) do update
              set execution_time = least(work.execution_time, excluded.execution_time), version = work.version + 1
              where not work.picked
            """)
        .bind("kind", kind)
        .bind("id", id.toString())
        .bind("at", at)
        .execute();
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
