package gpuaas.audit;

import gpuaas.base.Caller;
import gpuaas.db.Insert;
import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.UUID;

/** The audit trail. */
public final class AuditStore {

  private static final UUID SYSTEM = new UUID(0, 0);

  private record Row(
      Instant at,
      UUID actor,
      String role,
      UUID project,
      Act act,
      UUID target,
      String correlationId) {}

  private static final Insert<Row> ROWS =
      Insert.<Row>into("audit")
          .with("at", "timestamptz", Row::at)
          .with("actor_id", "uuid", Row::actor)
          .with("actor_role", "text", Row::role)
          .with("project_id", "uuid", Row::project)
          .with("action", "text", row -> row.act().text())
          .with("target_id", "uuid", Row::target)
          .with("correlation_id", "text", Row::correlationId);

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
    WEBHOOK_ENABLE,
    BUDGET_SET,
    BUDGET_DELETE,
    CREDIT_ADD,
    CREDIT_CORRECT,
    DISK_CREATE,
    DISK_UPDATE,
    DISK_DELETE,
    QUOTA_SET,
    QUOTA_REMOVE,
    PROJECT_CREATE,
    PROJECT_UPDATE,
    MEMBER_SET,
    MEMBER_REMOVE,
    INVITATION_CREATE,
    INVITATION_REVOKE,
    INVITATION_ACCEPT,
    SERVICE_ACCOUNT_CREATE,
    SERVICE_ACCOUNT_UPDATE,
    SERVICE_ACCOUNT_DELETE,
    SERVICE_ACCOUNT_KEY_CREATE,
    SERVICE_ACCOUNT_KEY_REVOKE,
    SERVICE_ACCOUNT_TOKEN_CREATE,
    SESSION_REVOKE;

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
    tx.later(ROWS, new Row(now, actor, role, project, act, target, correlationId));
  }

  /** What was done to something, oldest first. */
  public static List<String> actions(Tx tx, UUID target) {
    return tx.query("select action from audit where target_id = :target order by id limit 1000")
        .bind("target", target)
        .mapTo(String.class)
        .list();
  }
}
