package gpuaas.events;

import gpuaas.db.Tx;
import gpuaas.events.Webhook.Delivery;
import gpuaas.events.WebhookSenders.Result;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jdbi.v3.core.result.RowView;
import org.jspecify.annotations.Nullable;

/** Deliveries in the database. */
final class WebhookDeliveryStore {

  private static final int DELETED_AT_ONCE = 10_000;

  private WebhookDeliveryStore() {}

  /** A delivery to be made. */
  record New(
      UUID id,
      UUID webhook,
      Delivery.Kind kind,
      String eventId,
      WebhookVoice.Told told,
      Optional<UUID> lease,
      Optional<Long> sequence,
      Instant madeAt) {}

  /** A delivery that is ours until a moment, with all that an attempt needs. */
  record Claimed(
      UUID id,
      UUID webhook,
      UUID project,
      Delivery.Kind kind,
      String voice,
      String url,
      String secret,
      Optional<String> oldSecret,
      Optional<Instant> oldSecretUntil,
      String eventId,
      String body,
      int attempts,
      Instant until) {}

  /** Who may be claimed how often. */
  record Slots(boolean failing, int perEndpoint, int most, int inOrderAttempts) {}

  /** Writes deliveries; one of an event to an endpoint that is there already stays as it is. */
  static void add(Tx tx, List<New> deliveries) {
    tx.update(
            """
            insert into webhook_delivery
              (id, webhook_id, kind, event_id, event_type, lease_id, sequence, body, state, due_at, made_at)
            select id, webhook, kind, event_id, event_type, lease, sequence, body, 'pending', made_at, made_at
              from unnest(:ids, :webhooks, :kinds, :eventIds, :eventTypes, :leases, :sequences, :bodies,
                :madeAts::timestamptz[])
                as new (id, webhook, kind, event_id, event_type, lease, sequence, body, made_at)
            on conflict (webhook_id, event_id) where kind = 'event' do nothing
            """)
        .bindArray("ids", UUID.class, each(deliveries, New::id))
        .bindArray("webhooks", UUID.class, each(deliveries, New::webhook))
        .bindArray("kinds", String.class, each(deliveries, one -> lower(one.kind())))
        .bindArray("eventIds", String.class, each(deliveries, New::eventId))
        .bindArray("eventTypes", String.class, each(deliveries, one -> one.told().type()))
        .bindArray("leases", UUID.class, each(deliveries, one -> one.lease().orElse(null)))
        .bindArray("sequences", Long.class, each(deliveries, one -> one.sequence().orElse(null)))
        .bindArray("bodies", String.class, each(deliveries, one -> one.told().json()))
        .bindArray("madeAts", String.class, each(deliveries, one -> one.madeAt().toString()))
        .execute();
  }

  /** A column of rows that are written together. */
  private static <R, C extends @Nullable Object> List<C> each(List<R> rows, Function<R, C> column) {
    List<C> values = new ArrayList<>(rows.size());
    rows.forEach(row -> values.add(column.apply(row)));
    return values;
  }

  /**
   * Takes what is due: of each endpoint only so many at once, of each lease only the first that is
   * not delivered, unless that has failed often already.
   *
   * <p>What is asked of each row is written so that, whatever the planner knows of the table, it is
   * one look into the index of the lease, and none after the last row that is taken.
   */
  static List<Claimed> claim(Tx tx, Slots slots, Instant now, Instant until) {
    return tx.query(
            """
            with chosen as (
              select due.id from webhook w cross join lateral (
                select d.id, d.due_at from webhook_delivery d
                 where d.webhook_id = w.id and d.state = 'pending' and d.due_at <= :now
                   and (d.claimed_until is null or d.claimed_until <= :now)
                   and (w.enabled or d.kind <> 'event')
                   and coalesce((
                     select false from webhook_delivery e
                      where e.lease_id = d.lease_id and e.sequence < d.sequence and e.state = 'pending'
                        and e.attempts < :inOrderAttempts and (e.webhook_id = d.webhook_id) is true
                      limit 1), true)
                 order by d.due_at, d.id
                 limit greatest(0, :perEndpoint - (
                   select count(*) from webhook_delivery c
                    where c.webhook_id = w.id and c.state = 'pending' and c.claimed_until > :now))
                 for update of d skip locked) due
               where w.deleted_at is null and (w.failures_in_row > 0) = :failing
               order by due.due_at limit :most)
            update webhook_delivery d set claimed_until = :until
              from chosen, webhook w
             where d.id = chosen.id and w.id = d.webhook_id
            returning d.*, w.project_id, w.voice, w.url, w.secret, w.old_secret, w.old_secret_until
            """)
        .bind("now", now)
        .bind("inOrderAttempts", slots.inOrderAttempts())
        .bind("perEndpoint", slots.perEndpoint())
        .bind("failing", slots.failing())
        .bind("most", slots.most())
        .bind("until", until)
        .map(row -> claimed(row, until))
        .list();
  }

  /** They arrived. The endpoints of those that were not over already. */
  static List<UUID> delivered(Tx tx, List<Result.Delivered> arrived) {
    return tx.query(
            """
            with done as (
              update webhook_delivery d set state = 'delivered', attempts = attempts + 1, claimed_until = null,
                last_at = one.at, last_status = one.status, last_problem = null
                from unnest(:ids, :statuses, :ats::timestamptz[]) as one (id, status, at)
               where d.id = one.id and d.state = 'pending'
              returning d.webhook_id)
            select distinct webhook_id from done order by webhook_id
            """)
        .bindArray("ids", UUID.class, each(arrived, one -> one.claimed().id()))
        .bindArray("statuses", Integer.class, each(arrived, Result.Delivered::status))
        .bindArray("ats", String.class, each(arrived, one -> one.at().toString()))
        .mapTo(UUID.class)
        .list();
  }

  /** Nothing was tried: whoever looks next may have them. */
  static void giveBack(Tx tx, List<Claimed> claims) {
    tx.update(
            """
            update webhook_delivery d set claimed_until = null
              from unnest(:ids, :untils::timestamptz[]) as one (id, until)
             where d.id = one.id and d.state = 'pending' and d.claimed_until = one.until
            """)
        .bindArray("ids", UUID.class, each(claims, Claimed::id))
        .bindArray("untils", String.class, each(claims, one -> one.until().toString()))
        .execute();
  }

  /** It did not arrive, and is due again or given up. False: it was not ours any more. */
  static boolean failed(Tx tx, Result.Failed failed, Optional<Instant> dueAgain) {
    return tx.update(
                """
                update webhook_delivery set state = :state, attempts = attempts + 1, claimed_until = null,
                  due_at = coalesce(:due::timestamptz, due_at), last_at = :now,
                  last_status = :status::integer, last_problem = :problem
                where id = :id and state = 'pending' and claimed_until = :until
                """)
            .bind("state", dueAgain.isPresent() ? "pending" : "exhausted")
            .bind("due", dueAgain.orElse(null))
            .bind("now", failed.at())
            .bind("status", failed.status().orElse(null))
            .bind("problem", failed.problem())
            .bind("id", failed.claimed().id())
            .bind("until", failed.claimed().until())
            .execute()
        == 1;
  }

  /** Those that wait for this one need not be looked at before it is due again. */
  static void holdBack(Tx tx, UUID id, Instant until) {
    tx.update(
            """
            update webhook_delivery later set due_at = greatest(later.due_at, :until)
              from webhook_delivery first
             where first.id = :id and later.lease_id = first.lease_id and later.sequence > first.sequence
               and later.state = 'pending' and (later.webhook_id = first.webhook_id) is true
               and later.claimed_until is null
            """)
        .bind("until", until)
        .bind("id", id)
        .execute();
  }

  static List<Delivery> list(Tx tx, UUID webhook, Optional<UUID> after, int limit) {
    return tx.query(
            """
            select * from webhook_delivery where webhook_id = :webhook and (:after::uuid is null or id < :after::uuid)
             order by id desc limit :limit
            """)
        .bind("webhook", webhook)
        .bind("after", after.orElse(null))
        .bind("limit", limit)
        .map(WebhookDeliveryStore::read)
        .list();
  }

  static Optional<Delivery> find(Tx tx, UUID webhook, UUID id) {
    return tx.query("select * from webhook_delivery where id = :id and webhook_id = :webhook")
        .bind("id", id)
        .bind("webhook", webhook)
        .map(WebhookDeliveryStore::read)
        .findOne();
  }

  /** The body as it was sent. */
  static String body(Tx tx, UUID id) {
    return tx.query("select body from webhook_delivery where id = :id")
        .bind("id", id)
        .mapTo(String.class)
        .one();
  }

  /** Deletes some of what is too old or belongs to nobody; true when there may be more. */
  static boolean deleteSome(Tx tx, Instant madeBefore) {
    return tx.update(
                """
                delete from webhook_delivery where id in (
                  (select id from webhook_delivery where made_at < :before limit :most)
                  union all
                  (select d.id from webhook_delivery d join webhook w on w.id = d.webhook_id
                    where w.deleted_at is not null limit :most))
                """)
            .bind("before", madeBefore)
            .bind("most", DELETED_AT_ONCE)
            .execute()
        >= DELETED_AT_ONCE;
  }

  private static Claimed claimed(RowView row, Instant until) {
    return new Claimed(
        row.getColumn("id", UUID.class),
        row.getColumn("webhook_id", UUID.class),
        row.getColumn("project_id", UUID.class),
        Delivery.Kind.valueOf(upper(row, "kind")),
        row.getColumn("voice", String.class),
        row.getColumn("url", String.class),
        row.getColumn("secret", String.class),
        optional(row, "old_secret", String.class),
        optional(row, "old_secret_until", Instant.class),
        row.getColumn("event_id", String.class),
        row.getColumn("body", String.class),
        row.getColumn("attempts", Integer.class),
        until);
  }

  private static Delivery read(RowView row) {
    Delivery.State state = Delivery.State.valueOf(upper(row, "state"));
    return new Delivery(
        row.getColumn("id", UUID.class),
        row.getColumn("webhook_id", UUID.class),
        Delivery.Kind.valueOf(upper(row, "kind")),
        row.getColumn("event_id", String.class),
        row.getColumn("event_type", String.class),
        state,
        row.getColumn("attempts", Integer.class),
        optional(row, "due_at", Instant.class).filter(_ -> state == Delivery.State.PENDING),
        optional(row, "last_at", Instant.class),
        optional(row, "last_status", Integer.class),
        optional(row, "last_problem", String.class),
        row.getColumn("made_at", Instant.class));
  }

  private static <T> Optional<T> optional(RowView row, String name, Class<T> type) {
    @Nullable T value = row.getColumn(name, type);
    return Optional.ofNullable(value);
  }

  private static String upper(RowView row, String name) {
    return row.getColumn(name, String.class).toUpperCase(Locale.ROOT);
  }

  private static String lower(Enum<?> word) {
    return word.name().toLowerCase(Locale.ROOT);
  }
}
