package gpuaas.audit;

import gpuaas.base.Caller;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** The audit trail. */
public final class AuditStore {

  private AuditStore() {}

  /** What is worth a row. */
  public enum Act {
    ALLOCATION_CREATE,
    ALLOCATION_RELEASE,
    ALLOCATION_UPDATE,
    ALLOCATION_DISMISS,
    TERMINAL_TOKEN_CREATE,
    SSH_KEY_CREATE,
    SSH_KEY_DELETE,
    API_KEY_CREATE,
    API_KEY_ROTATE,
    API_KEY_REVOKE;

    /** The name in the trail: {@code allocation.create}. */
    String text() {
      String name = name().toLowerCase(java.util.Locale.ROOT);
      int last = name.lastIndexOf('_');
      return name.substring(0, last) + "." + name.substring(last + 1);
    }
  }

  /** Writes that the caller did this to that. */
  public static void append(Tx tx, Caller caller, Act act, UUID target, Instant now) {
    tx.update(
            """
            insert into audit (at, actor_id, actor_role, project_id, action, target_id, correlation_id)
            values (:at, :actor, :role, :project, :action, :target, :correlationId)
            """)
        .bind("at", now)
        .bind("actor", caller.user())
        .bind("role", caller.isAdmin() ? "admin" : "user")
        .bind("project", caller.project())
        .bind("action", act.text())
        .bind("target", target)
        .bind("correlationId", caller.correlationId())
        .execute();
  }

  /** What was done to something, oldest first. */
  public static List<String> actions(Tx tx, UUID target) {
    return tx.query("select action from audit where target_id = :target order by id limit 1000")
        .bind("target", target)
        .mapTo(String.class)
        .list();
  }
}
