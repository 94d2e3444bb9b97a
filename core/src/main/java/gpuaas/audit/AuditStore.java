package gpuaas.audit;

import gpuaas.base.Caller;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** The audit trail. */
public final class AuditStore {

  private static final UUID SYSTEM = new UUID(0, 0);

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
    API_KEY_REVOKE,
    WEBHOOK_CREATE,
    WEBHOOK_DELETE,
    WEBHOOK_ROTATE,
    WEBHOOK_RESEND,
    WEBHOOK_PROBE,
    WEBHOOK_DISABLE,
    WEBHOOK_ENABLE;

    /** The name in the trail: {@code allocation.create}. */
    String text() {
      String name = name().toLowerCase(java.util.Locale.ROOT);
      int last = name.lastIndexOf('_');
      return name.substring(0, last) + "." + name.substring(last + 1);
    }
  }

  /** Writes that the caller did this to that. */
  public static void append(Tx tx, Caller caller, Act act, UUID target, Instant now) {
    String role = caller.isAdmin() ? "admin" : "user";
    append(tx, caller.user(), role, caller.project(), act, target, caller.correlationId(), now);
  }

  /** Writes that the system did this to that, by itself. */
  public static void appendOwn(Tx tx, UUID project, Act act, UUID target, Instant now) {
    append(tx, SYSTEM, "system", project, act, target, "system", now);
  }

  private static void append(
      Tx tx,
      UUID actor,
      String role,
      UUID project,
      Act act,
      UUID target,
      String correlationId,
      Instant now) {
    tx.update(
            """
            insert into audit (at, actor_id, actor_role, project_id, action, target_id, correlation_id)
            values (:at, :actor, :role, :project, :action, :target, :correlationId)
            """)
        .bind("at", now)
        .bind("actor", actor)
        .bind("role", role)
        .bind("project", project)
        .bind("action", act.text())
        .bind("target", target)
        .bind("correlationId", correlationId)
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
