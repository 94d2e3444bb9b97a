package gpuaas.ledger;

import gpuaas.db.Batch;
import gpuaas.db.Insert;
import gpuaas.db.Tx;
import gpuaas.spi.InstanceRef;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jdbi.v3.core.result.RowView;
import org.jdbi.v3.core.statement.Query;

/** Bills of markets in the database, beside ours. */
public final class ReconciliationStore {

  /** Days that were never compared are asked for again for so long. */
  private static final int OPEN_DAYS_MOST = 62;

  private record Seen(InstanceRef instance, UUID lease, Instant at) {}

  private static final Batch<Seen> SEEN =
      Insert.<Seen>into("instance_seen")
          .with("provider", "text", seen -> seen.instance().provider())
          .with("instance_id", "text", seen -> seen.instance().id())
          .with("lease_id", "uuid", Seen::lease)
          .with("first_seen", "timestamptz", Seen::at)
          .then("on conflict (provider, instance_id) do nothing");

  private static final Batch<Machine> MACHINES =
      Insert.<Machine>into("machine_day")
          .with("provider", "text", Machine::provider)
          .with("day", "date", Machine::day)
          .with("instance_id", "text", Machine::instance)
          .with("lease_id", "uuid", machine -> machine.lease().orElse(null))
          .with("ours_micros", "bigint", Machine::oursMicros)
          .with("theirs_micros", "bigint", Machine::theirsMicros)
          .with("difference_micros", "bigint", Machine::differenceMicros)
          .with("postings", "integer", Machine::postings)
          .then(
              "on conflict (provider, day, instance_id) do update set lease_id ="
                  + " excluded.lease_id, ours_micros = excluded.ours_micros, theirs_micros ="
                  + " excluded.theirs_micros, difference_micros = excluded.difference_micros,"
                  + " postings = excluded.postings");

  private ReconciliationStore() {}

  /** Remembers which lease a machine is for, in the transaction that names it. */
  public static void seen(Tx tx, InstanceRef instance, UUID lease, Instant at) {
    tx.later(SEEN, new Seen(instance, lease, at));
  }

  /**
   * What a machine has cost on a day.
   *
   * @param lease whose it was; empty: none of ours
   * @param postings how often its difference was posted
   */
  public record Machine(
      String provider,
      LocalDate day,
      String instance,
      Optional<UUID> lease,
      long oursMicros,
      long theirsMicros,
      int postings) {

    /** What the market charged beyond our bill. */
    public long differenceMicros() {
      return theirsMicros - oursMicros;
    }

    Machine with(Optional<UUID> newLease, long ours, long theirs) {
      return new Machine(provider, day, instance, newLease, ours, theirs, postings);
    }

    Machine posted() {
      return new Machine(provider, day, instance, lease, oursMicros, theirsMicros, postings + 1);
    }
  }

  /**
   * The days that have ended since the first machine of a market was named, and are to be asked
   * for: the last ones, and those that were never compared.
   */
  static List<LocalDate> days(Tx tx, String provider, LocalDate today, int back) {
    return tx.query(
            """
            select days.day::date as day
              from (select min(first_seen) at time zone 'UTC' as at from instance_seen where provider = :provider) first,
                   generate_series(greatest(date_trunc('day', first.at), :oldest::date), :today::date - interval '1 day', interval '1 day')
                     as days (day)
             where first.at is not null
               and (days.day >= :recent::date
                    or not exists (select 1 from market_day
                                    where provider = :provider and market_day.day = days.day::date and asked_at is not null))
             order by 1
            """)
        .bind("provider", provider)
        .bind("today", today)
        .bind("recent", today.minusDays(back))
        .bind("oldest", today.minusDays(Math.max(back, OPEN_DAYS_MOST)))
        .mapTo(LocalDate.class)
        .list();
  }

  /**
   * Holds the day until the end of the transaction.
   *
   * @return when the answer was asked for that counts so far
   */
  static Optional<Instant> lock(Tx tx, String provider, LocalDate day) {
    tx.update(
            "insert into market_day (provider, day) values (:provider, :day) on conflict do"
                + " nothing")
        .bind("provider", provider)
        .bind("day", day)
        .execute();
    return tx.query(
            "select asked_at from market_day where provider = :provider and day = :day for update")
        .bind("provider", provider)
        .bind("day", day)
        .map(row -> Optional.ofNullable(row.getColumn("asked_at", Instant.class)))
        .one();
  }

  static void left(Tx tx, String provider, LocalDate day, String problem) {
    mark(tx, provider, day, Optional.empty(), Optional.of(problem));
  }

  static void compared(Tx tx, String provider, LocalDate day, Instant asked) {
    mark(tx, provider, day, Optional.of(asked), Optional.empty());
  }

  private static void mark(
      Tx tx, String provider, LocalDate day, Optional<Instant> asked, Optional<String> problem) {
    tx.update(
            """
            update market_day set asked_at = coalesce(:asked::timestamptz, asked_at), problem = :problem
             where provider = :provider and day = :day
            """)
        .bind("provider", provider)
        .bind("day", day)
        .bind("asked", asked.orElse(null))
        .bind("problem", problem.orElse(null))
        .execute();
  }

  /**
   * What leases have cost in a time by their last machine, which is the one that was used. Costs
   * are those that the bills have: the days of a lease add up to its bill.
   */
  static Map<String, Long> ours(Tx tx, String provider, Instant from, Instant until, Instant now) {
    Map<String, Long> ours = new HashMap<>();
    tx.query(
            """
            with used as (
              select lease_id, started_at, price_per_gpu_hour_micros::numeric * gpu_count as hour_price,
                     least(case when closed_at is null then greatest(used_to, :now) else used_to end, :until) as to_at
                from hold
               where started_at < :until and (closed_at is null or used_to > :from)
            ), part as (
              select lease_id, hour_price,
                     floor(extract(epoch from greatest(:from, started_at) - started_at)) as seconds_from,
                     floor(extract(epoch from to_at - started_at)) as seconds_to
                from used where to_at > greatest(started_at, :from)
            )
            select machine.instance_id,
                   (div(seconds_to * hour_price, 3600) - div(seconds_from * hour_price, 3600))::bigint as micros
              from part
              cross join lateral (select provider, instance_id from instance_seen
                                   where lease_id = part.lease_id order by first_seen desc, instance_id limit 1) machine
             where machine.provider = :provider
            """)
        .bind("provider", provider)
        .bind("from", from)
        .bind("until", until)
        .bind("now", now)
        .map(row ->
            Map.entry(
                row.getColumn("instance_id", String.class), row.getColumn("micros", Long.class)))
        .list()
        .forEach(entry -> ours.put(entry.getKey(), entry.getValue()));
    return ours;
  }

  static Map<String, Machine> machines(Tx tx, String provider, LocalDate day) {
    Map<String, Machine> machines = new HashMap<>();
    tx.query("select * from machine_day where provider = :provider and day = :day")
        .bind("provider", provider)
        .bind("day", day)
        .map(ReconciliationStore::read)
        .list()
        .forEach(machine -> machines.put(machine.instance(), machine));
    return machines;
  }

  /** Whose machines these are; those of nobody are left out. */
  static Map<String, UUID> leases(Tx tx, String provider, Collection<String> instances) {
    Map<String, UUID> leases = new HashMap<>();
    tx.query(
            "select instance_id, lease_id from instance_seen where provider = :provider and"
                + " instance_id = any(:instances)")
        .bind("provider", provider)
        .bindArray("instances", String.class, List.copyOf(instances))
        .map(row ->
            Map.entry(
                row.getColumn("instance_id", String.class), row.getColumn("lease_id", UUID.class)))
        .list()
        .forEach(entry -> leases.put(entry.getKey(), entry.getValue()));
    return leases;
  }

  static void write(Tx tx, List<Machine> machines) {
    machines.forEach(machine -> tx.later(MACHINES, machine));
  }

  /** Machines of a project, or all; the latest day first. */
  static Reconciliation.Listed list(Tx tx, Optional<UUID> project, Reconciliation.Query query) {
    List<Machine> machines =
        bound(
                tx,
                "machine_day.*",
                "order by day desc, provider, instance_id limit :limit offset :offset",
                project,
                query)
            .bind("limit", query.limit())
            .bind("offset", query.offset())
            .map(ReconciliationStore::read)
            .list();
    return bound(
            tx,
            "count(*) as total, coalesce(sum(difference_micros), 0)::bigint as difference",
            "",
            project,
            query)
        .map(row ->
            new Reconciliation.Listed(
                machines,
                row.getColumn("total", Long.class),
                row.getColumn("difference", Long.class)))
        .one();
  }

  private static Query bound(
      Tx tx, String what, String order, Optional<UUID> project, Reconciliation.Query query) {
    return tx.query(
            """
            select %s from machine_day left join hold on hold.lease_id = machine_day.lease_id
             where day >= :from and day < :until
               and (:provider::text is null or provider = :provider)
               and (:project::uuid is null or hold.project_id = :project::uuid)
             %s
            """
                .formatted(what, order))
        .bind("from", query.from())
        .bind("until", query.until())
        .bind("provider", query.provider().orElse(null))
        .bind("project", project.orElse(null));
  }

  private static Machine read(RowView row) {
    return new Machine(
        row.getColumn("provider", String.class),
        row.getColumn("day", LocalDate.class),
        row.getColumn("instance_id", String.class),
        Optional.ofNullable(row.getColumn("lease_id", UUID.class)),
        row.getColumn("ours_micros", Long.class),
        row.getColumn("theirs_micros", Long.class),
        row.getColumn("postings", Integer.class));
  }
}
