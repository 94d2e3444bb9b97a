package gpuaas.audit;

import gpuaas.base.Caller;
import gpuaas.base.Origin;
import gpuaas.db.Insert;
import gpuaas.db.Json;
import gpuaas.db.Tx;
import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;
import org.jspecify.annotations.Nullable;

/** The audit trail. */
public final class AuditStore {

  /** Who is not anybody: the system, or somebody we do not know. */
  static final UUID NOBODY = new UUID(0, 0);

  private static final Insert<Entry> ROWS =
      Insert.<Entry>into("audit")
          .with("at", "timestamptz", Entry::at)
          .with("actor_id", "uuid", Entry::actor)
          .with("actor_name", "text", Entry::actorName)
          .with("actor_role", "text", Entry::actorRole)
          .with("project_id", "uuid", Entry::project)
          .with("action", "text", Entry::action)
          .with("target_id", "uuid", Entry::target)
          .with("result", "text", entry -> entry.success() ? "success" : "failure")
          .with("correlation_id", "text", Entry::correlationId)
          .with("actor_ip", "text", entry -> entry.origin().address())
          .with("user_agent", "text", entry -> entry.origin().userAgent())
          .with("details", "jsonb", entry -> Json.write(entry.details()));

  private AuditStore() {}

  /** What is worth a row. */
  public enum Act {
    ALLOCATION_CREATE,
    ALLOCATION_RELEASE,
    ALLOCATION_UPDATE,
    ALLOCATION_DISMISS,
    ALLOCATION_FORCE_RELEASE(10),
    ALLOCATION_FORCE_CLEANUP(10),
    ALLOCATION_RESTART,
    ALLOCATION_GROUP_CREATE,
    ALLOCATION_GROUP_RELEASE,
    USER_CREATE,
    USER_DISABLE,
    USER_ENABLE,
    USER_DELETE,
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
    SERVICE_ACCOUNT_DELETE,
    SERVICE_ACCOUNT_KEY_CREATE,
    SERVICE_ACCOUNT_KEY_REVOKE,
    SESSION_REVOKE,
    POLICY_UPDATE,
    POLICY_BOUND_VIOLATION(6),
    AUTHZ_DENY,
    RATE_LIMIT_BLOCK;

    private final int dot;

    Act() {
      this.dot = name().lastIndexOf('_');
    }

    Act(int dot) {
      this.dot = dot;
    }

    /** The name in the trail: {@code allocation.create}. */
    String text() {
      String name = name().toLowerCase(Locale.ROOT);
      return name.substring(0, dot) + "." + name.substring(dot + 1);
    }

    private boolean isRefusal() {
      return this == AUTHZ_DENY || this == RATE_LIMIT_BLOCK || this == POLICY_BOUND_VIOLATION;
    }
  }

  /** Writes that the caller did this to that. */
  public static void append(Tx tx, Caller caller, Act act, UUID target, Instant now) {
    append(tx, caller, act, target, now, Map.of());
  }

  /**
   * The same, with what else is to be known.
   *
   * @param details words for words, never secrets
   */
  public static void append(
      Tx tx, Caller caller, Act act, UUID target, Instant now, Map<String, String> details) {
    append(tx, entry(Optional.of(caller), caller.origin(), act, target, now, details));
  }

  /** The same of what is in another project than the caller, with what is to be known of it. */
  public static void append(
      Tx tx,
      Caller caller,
      UUID project,
      Act act,
      UUID target,
      Instant now,
      Map<String, String> details) {
    append(tx, entry(Optional.of(caller), caller.origin(), act, target, now, details).in(project));
  }

  /** Writes that the system did this to that, by itself. */
  public static void appendOwn(Tx tx, UUID project, Act act, UUID target, Instant now) {
    append(
        tx,
        new Entry(
            0,
            now,
            NOBODY,
            "",
            "system",
            project,
            act.text(),
            target,
            true,
            "system",
            Origin.INSIDE,
            Map.of()));
  }

  /** Writes that somebody was refused something. */
  static void refused(
      Tx tx,
      Optional<Caller> caller,
      Origin origin,
      Act act,
      Instant now,
      Map<String, String> details) {
    append(tx, entry(caller, origin, act, NOBODY, now, details));
  }

  private static Entry entry(
      Optional<Caller> caller,
      Origin origin,
      Act act,
      UUID target,
      Instant now,
      Map<String, String> details) {
    return new Entry(
        0,
        now,
        caller.map(Caller::user).orElse(NOBODY),
        caller.map(Caller::name).orElse(""),
        caller.map(AuditStore::role).orElse("system"),
        caller.map(Caller::project).orElse(NOBODY),
        act.text(),
        target,
        !act.isRefusal(),
        caller
            .map(Caller::correlationId)
            .orElseGet(() -> details.getOrDefault("correlation_id", "")),
        origin,
        details);
  }

  private static String role(Caller caller) {
    if (caller.standing().only().isPresent()) {
      return "service_account";
    }
    return caller.isAdmin() ? "admin" : "user";
  }

  private static void append(Tx tx, Entry entry) {
    tx.later(ROWS, entry);
  }

  /** What was done to something, oldest first. */
  public static List<String> actions(Tx tx, UUID target) {
    return tx.query("select action from audit where target_id = :target order by id limit 1000")
        .bind("target", target)
        .mapTo(String.class)
        .list();
  }

  /** The entries of a tenant, or of all when there is none, newest first. */
  static List<Entry> search(
      Tx tx, Optional<UUID> tenant, Audit.Filter filter, Optional<Long> before, int limit) {
    return tx.query(
            """
            select audit.* from audit
             where (:tenant::uuid is null or project_id in (select id from project where tenant_id = :tenant::uuid))
               and (:before::bigint is null or id < :before::bigint)
               and (:project::uuid is null or project_id = :project::uuid)
               and (:actor::uuid is null or actor_id = :actor::uuid)
               and (:target::uuid is null or target_id = :target::uuid)
               and (:action::text is null or action = :action)
               and (:result::text is null or result = :result)
               and (:from::timestamptz is null or at >= :from::timestamptz)
               and (:to::timestamptz is null or at < :to::timestamptz)
             order by id desc limit :limit
            """)
        .bind("tenant", tenant.orElse(null))
        .bind("before", before.orElse(null))
        .bind("project", filter.project().orElse(null))
        .bind("actor", filter.actor().orElse(null))
        .bind("target", filter.target().orElse(null))
        .bind("action", filter.action().orElse(null))
        .bind("result", filter.result().orElse(null))
        .bind("from", filter.from().orElse(null))
        .bind("to", filter.to().orElse(null))
        .bind("limit", limit)
        .map(AuditStore::read)
        .list();
  }

  /** The last seal; of two who ask, one waits for the other to end. */
  static Optional<Seal> lastSeal(Tx tx) {
    tx.query("select 1 from pg_advisory_xact_lock(hashtext('audit seal'))")
        .mapTo(Integer.class)
        .list();
    return tx.query("select * from audit_seal order by position desc limit 1")
        .map(AuditStore::readSeal)
        .findOne();
  }

  /** What waits for its seal, in the order in which it is sealed. */
  static List<Entry> unsealed(Tx tx, int limit) {
    return tx.query(
            """
            select audit.* from audit join audit_unsealed on audit_id = audit.id order by audit.id limit :limit
            """)
        .bind("limit", limit)
        .map(AuditStore::read)
        .list();
  }

  static void seal(Tx tx, List<Seal> seals, Instant now) {
    if (seals.isEmpty()) {
      return;
    }
    var batch =
        tx.batch(
            """
            insert into audit_seal (position, audit_id, hash, sealed_at)
            values (:position, :entry, :hash, :now)
            """);
    for (Seal seal : seals) {
      batch
          .bind("position", seal.position())
          .bind("entry", seal.entry())
          .bind("hash", seal.bytes())
          .bind("now", now)
          .add();
    }
    batch.execute();
    tx.update("delete from audit_unsealed where audit_id = any(:ids)")
        .bindArray("ids", Long.class, seals.stream().map(Seal::entry).toList())
        .execute();
  }

  /** Seals after a position, each with its entry if that is there still. */
  static List<Sealed> sealed(Tx tx, long after, int limit) {
    return tx.query(
            """
            select seal.position, seal.audit_id, seal.hash, audit.*
              from audit_seal seal left join audit on audit.id = seal.audit_id
             where seal.position > :after order by seal.position limit :limit
            """)
        .bind("after", after)
        .bind("limit", limit)
        .map(row ->
            new Sealed(
                readSeal(row),
                Optional.ofNullable(row.getColumn("id", Long.class)).map(_ -> read(row))))
        .list();
  }

  /** How many entries neither have a seal nor wait for one, and how many wait that are gone. */
  static long countStray(Tx tx) {
    return tx.query(
            """
            select (select count(*) from audit
                     where not exists (select from audit_seal where audit_id = audit.id)
                       and not exists (select from audit_unsealed where audit_id = audit.id))
                 + (select count(*) from audit_unsealed where not exists (select from audit where id = audit_id))
            """)
        .mapTo(Long.class)
        .one();
  }

  private static Entry read(RowView row) {
    return new Entry(
        row.getColumn("id", Long.class),
        row.getColumn("at", Instant.class),
        row.getColumn("actor_id", UUID.class),
        row.getColumn("actor_name", String.class),
        row.getColumn("actor_role", String.class),
        row.getColumn("project_id", UUID.class),
        row.getColumn("action", String.class),
        row.getColumn("target_id", UUID.class),
        row.getColumn("result", String.class).equals("success"),
        row.getColumn("correlation_id", String.class),
        new Origin(
            row.getColumn("actor_ip", String.class), row.getColumn("user_agent", String.class)),
        details(row.getColumn("details", String.class)));
  }

  private static Map<String, String> details(@Nullable String json) {
    return json == null ? Map.of() : Json.readWords(json);
  }

  private static Seal readSeal(RowView row) {
    return new Seal(
        row.getColumn("position", Long.class),
        row.getColumn("audit_id", Long.class),
        new BigInteger(1, row.getColumn("hash", byte[].class)));
  }
}
