package gpuaas.events;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;

/** Endpoints in the database. */
final class WebhookStore {

  private static final int SUBSCRIBED_MOST = 10_000;

  private WebhookStore() {}

  /** An endpoint with what the world does not see. */
  record Kept(Webhook webhook, UUID project, String secret, long afterNumber) {}

  /** An endpoint that may hear of a project's events. */
  record Subscribed(UUID project, Kept endpoint) {}

  /** From now on: events that are written from here on are told. */
  static void add(Tx tx, Webhook webhook, UUID project, String sealedSecret) {
    tx.update(
            """
            insert into webhook (id, tenant_id, project_id, voice, url, event_types, secret, after_number, made_at)
            values (:id, :tenant, :project, :voice, :url, :types, :secret,
              (select case when is_called then last_value else last_value - 1 end from event_number_seq), :madeAt)
            """)
        .bind("id", webhook.id())
        .bind("tenant", webhook.tenant())
        .bind("project", project)
        .bind("voice", webhook.voice())
        .bind("url", webhook.url())
        .bindArray("types", String.class, webhook.eventTypes())
        .bind("secret", sealedSecret)
        .bind("madeAt", webhook.madeAt())
        .execute();
  }

  /** Lets those who add endpoints to a tenant do so one after the other, for the limit's sake. */
  static int countLocked(Tx tx, UUID tenant) {
    tx.query("select 1 from tenant where id = :tenant for no key update")
        .bind("tenant", tenant)
        .mapTo(Integer.class)
        .list();
    return tx.query("select count(*) from webhook where tenant_id = :tenant and deleted_at is null")
        .bind("tenant", tenant)
        .mapTo(Integer.class)
        .one();
  }

  static Optional<Kept> find(Tx tx, UUID id) {
    return tx.query("select * from webhook where id = :id and deleted_at is null")
        .bind("id", id)
        .map(WebhookStore::read)
        .findOne();
  }

  static List<Webhook> list(Tx tx, UUID tenant, String voice, Optional<UUID> after, int limit) {
    return tx
        .query(
            """
            select * from webhook
             where tenant_id = :tenant and voice = :voice and deleted_at is null and (:after::uuid is null or id < :after::uuid)
             order by id desc limit :limit
            """)
        .bind("tenant", tenant)
        .bind("voice", voice)
        .bind("after", after.orElse(null))
        .bind("limit", limit)
        .map(WebhookStore::read)
        .stream()
        .map(Kept::webhook)
        .toList();
  }

  /** Everybody who may hear of events of these projects. */
  static List<Subscribed> subscribed(Tx tx, List<UUID> projects) {
    return tx.query(
            """
            select w.*, p.id as heard_project_id from webhook w join project p on p.tenant_id = w.tenant_id
             where p.id = any(:projects) and w.enabled and w.deleted_at is null
             order by w.id limit :limit
            """)
        .bindArray("projects", UUID.class, projects)
        .bind("limit", SUBSCRIBED_MOST)
        .map(row -> new Subscribed(row.getColumn("heard_project_id", UUID.class), read(row)))
        .list();
  }

  static void delete(Tx tx, UUID id, Instant now) {
    // Deliveries before endpoints, as everywhere: two that lock in the same order never wait for
    // each other.
    tx.update(
            "update webhook_delivery set state = 'cancelled', claimed_until = null where webhook_id"
                + " = :id and state = 'pending'")
        .bind("id", id)
        .execute();
    tx.update("update webhook set deleted_at = :now where id = :id")
        .bind("now", now)
        .bind("id", id)
        .execute();
  }

  static void rotate(Tx tx, UUID id, String sealedSecret, Instant oldUntil) {
    tx.update(
            "update webhook set old_secret = secret, old_secret_until = :until, secret = :secret"
                + " where id = :id")
        .bind("until", oldUntil)
        .bind("secret", sealedSecret)
        .bind("id", id)
        .execute();
  }

  /** An attempt failed; true when this made the endpoint one that is disabled. */
  static boolean failed(Tx tx, UUID id, boolean gaveUp, int disableAfter, Instant now) {
    tx.update(
            """
            update webhook set failures_in_row = failures_in_row + 1,
              exhausted_in_row = exhausted_in_row + case when :gaveUp then 1 else 0 end
            where id = :id
            """)
        .bind("gaveUp", gaveUp)
        .bind("id", id)
        .execute();
    return tx.update(
                """
                update webhook set enabled = false, disabled_at = :now
                 where id = :id and enabled and deleted_at is null and exhausted_in_row >= :most
                """)
            .bind("now", now)
            .bind("id", id)
            .bind("most", disableAfter)
            .execute()
        == 1;
  }

  /** Attempts succeeded; those that this enabled again. */
  static List<UUID> succeeded(Tx tx, List<UUID> ids) {
    return tx.query(
            """
            with locked as (
              select id, enabled from webhook
               where id = any(:ids) and (failures_in_row > 0 or exhausted_in_row > 0 or not enabled)
               order by id for update),
            better as (
              update webhook w set failures_in_row = 0, exhausted_in_row = 0,
                enabled = w.enabled or w.deleted_at is null,
                disabled_at = case when w.deleted_at is null then null else w.disabled_at end
                from locked where w.id = locked.id
              returning w.id, w.enabled and not locked.enabled as enabled_again)
            select id from better where enabled_again
            """)
        .bindArray("ids", UUID.class, ids)
        .mapTo(UUID.class)
        .list();
  }

  /** Removes endpoints that were deleted, once nothing of theirs is left. */
  static void removeDeleted(Tx tx) {
    tx.update(
            """
            delete from webhook w where deleted_at is not null
              and not exists (select 1 from webhook_delivery d where d.webhook_id = w.id)
            """)
        .execute();
  }

  private static Kept read(RowView row) {
    String[] types = row.getColumn("event_types", String[].class);
    Webhook webhook =
        new Webhook(
            row.getColumn("id", UUID.class),
            row.getColumn("tenant_id", UUID.class),
            row.getColumn("voice", String.class),
            row.getColumn("url", String.class),
            List.of(types),
            row.getColumn("enabled", Boolean.class),
            Optional.ofNullable(row.getColumn("disabled_at", Instant.class)),
            row.getColumn("made_at", Instant.class));
    return new Kept(
        webhook,
        row.getColumn("project_id", UUID.class),
        row.getColumn("secret", String.class),
        row.getColumn("after_number", Long.class));
  }
}
