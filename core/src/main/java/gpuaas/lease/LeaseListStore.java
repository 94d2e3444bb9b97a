package gpuaas.lease;

import gpuaas.db.Tx;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Lists and counts of leases. */
public final class LeaseListStore {

  private LeaseListStore() {}

  /** The other members of its gang, by their number; ended ones too. */
  static List<Lease> mates(Tx tx, Lease lease) {
    return lease.spec().gang().isEmpty()
        ? List.of()
        : tx.query(
                """
                select * from lease
                 where project_id = :project and spec -> 'gang' ->> 'name' = :gang and requested_by = :person and id <> :id
                 order by (spec -> 'gang' ->> 'index')::int, made_at, id limit 1000
                """)
            .bind("project", lease.project())
            .bind("gang", lease.spec().gang().get().name())
            .bind("person", lease.requestedBy())
            .bind("id", lease.id())
            .map(LeaseRow.READ)
            .list();
  }

  /** Those of them that are not on their way out. */
  static List<UUID> living(Tx tx, Lease lease) {
    return mates(tx, lease).stream().filter(mate -> !mate.state().isOver()).map(Lease::id).toList();
  }

  /** True while the files of another one of its name are on their way out. */
  static boolean isKeptNow(Tx tx, Lease lease) {
    return tx.query(
            """
            select exists (
              select 1 from lease
               where state = 'stopping' and ready_at is not null and instance_id is not null
                 and project_id = :project and spec ->> 'keep' = :name and id <> :id
                 and not exists (select 1 from archive where lease_id = lease.id))
            """)
        .bind("project", lease.project())
        .bind("name", lease.spec().keep().orElse(""))
        .bind("id", lease.id())
        .mapTo(Boolean.class)
        .one();
  }

  /** The same by phase; no phases: whatever is not gone. Each has an index in this very order. */
  static List<Lease> listByPhase(
      Tx tx, UUID project, Set<LeaseState.Phase> phases, Optional<Position> after, int limit) {
    String phase =
        switch (phases.size()) {
          case 0 -> "phase <> 'gone'";
          case 1 -> "phase = :phase";
          default ->
              phases.size() == LeaseState.Phase.values().length ? "true" : "phase = any(:phases)";
        };
    String position = after.isPresent() ? "(made_at, id) < (:madeAt, :id)" : "true";
    var query =
        tx.query(
            "select * from lease where project_id = :project and "
                + phase
                + " and "
                + position
                + " order by made_at desc, id desc limit :limit");
    if (phase.contains(":phases")) {
      query.bindArray("phases", String.class, phases.stream().map(LeaseState.Phase::text).toList());
    } else if (phase.contains(":phase")) {
      query.bind("phase", phases.iterator().next().text());
    }
    after.ifPresent(at -> query.bind("madeAt", at.madeAt()).bind("id", at.id()));
    return query.bind("project", project).bind("limit", limit).map(LeaseRow.READ).list();
  }

  /**
   * Leases, newest first.
   *
   * @param project whose; empty: everybody's
   * @param before where the last page ended
   */
  public static List<Lease> list(
      Tx tx, Optional<UUID> project, Filter filter, Optional<Lease> before, int limit) {
    return tx.query(
            """
            select * from lease
             where (:project::uuid is null or project_id = :project::uuid)
               and (:consumer::text is null or spec -> 'notes' ->> 'consumer_id' = :consumer)
               and (cardinality(:parents) = 0 or spec -> 'notes' ->> 'retry_parent_id' = any(:parents))
               and (:provider::text is null or coalesce(provider, spec -> 'want' -> 'offer' ->> 'provider') = :provider)
               and (cardinality(:states) = 0 or state = any(:states))
               and (:failed::boolean is null or coalesce(end_reason = any(:failures), false) = :failed)
               and (:stuck::boolean is null or (coalesce(trouble ->> 'stuck', '') <> '') = :stuck)
               and (:sku::text is null or sku = :sku)
               and (:group::text is null or spec -> 'notes' ->> 'group_id' = :group)
               and (:beforeMadeAt::timestamptz is null or (made_at, id) < (:beforeMadeAt, :beforeId::uuid))
             order by made_at desc, id desc limit :limit
            """)
        .bind("project", project.orElse(null))
        .bind("consumer", filter.consumer().orElse(null))
        .bindArray("parents", String.class, List.copyOf(filter.parents()))
        .bind("provider", filter.provider().orElse(null))
        .bindArray("states", String.class, List.copyOf(filter.states()))
        .bind("failed", filter.failed().orElse(null))
        .bindArray("failures", String.class, EndReason.failures())
        .bind("stuck", filter.stuck().orElse(null))
        .bind("sku", filter.sku().orElse(null))
        .bind("group", filter.group().map(UUID::toString).orElse(null))
        .bind("beforeMadeAt", before.map(Lease::createdAt).orElse(null))
        .bind("beforeId", before.map(Lease::id).orElse(null))
        .bind("limit", limit)
        .map(LeaseRow.READ)
        .list();
  }

  /**
   * Which leases. What is empty does not matter.
   *
   * @param consumer as written on it with {@link LeaseSpec#CONSUMER}
   * @param parents as written on it with {@link LeaseSpec#PARENT}
   * @param provider that it was last placed at, or was to be
   * @param states by name
   * @param failed whether it is ending or ended by a failure
   * @param stuck whether its end took longer than it may
   * @param sku that was asked for
   * @param group as written on it with {@link LeaseSpec#GROUP}
   */
  public record Filter(
      Optional<String> consumer,
      Set<String> parents,
      Optional<String> provider,
      Set<String> states,
      Optional<Boolean> failed,
      Optional<Boolean> stuck,
      Optional<String> sku,
      Optional<UUID> group) {

    /** All of them. */
    public static final Filter ALL =
        new Filter(
            Optional.empty(),
            Set.of(),
            Optional.empty(),
            Set.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    /** Those of one consumer. */
    public static Filter of(
        Optional<String> consumer,
        Set<String> parents,
        Optional<String> provider,
        Set<String> states,
        Optional<Boolean> failed) {
      return new Filter(
          consumer,
          parents,
          provider,
          states,
          failed,
          Optional.empty(),
          Optional.empty(),
          Optional.empty());
    }

    /** Those of a group. */
    public static Filter of(UUID group) {
      return new Filter(
          ALL.consumer,
          ALL.parents,
          ALL.provider,
          ALL.states,
          ALL.failed,
          ALL.stuck,
          ALL.sku,
          Optional.of(group));
    }
  }

  /** Those that ended without a proof and hold GPUs of this provider to this day. */
  static List<Lease> unproven(Tx tx, String provider) {
    return tx.query(
            """
            select * from lease
             where id in (select lease_id from gpu_claim where provider = :provider) and state = 'ended'
             order by id limit 1000
            """)
        .bind("provider", provider)
        .map(LeaseRow.READ)
        .list();
  }

  /** Some of a project's, newest first, and how many there are. */
  static Part part(Tx tx, UUID project, Standing standing, int offset, int limit) {
    String which =
        " from lease where project_id = :project and (state = any(:states) or (state in"
            + " ('stopping', 'ended') and end_reason = any(:reasons)))";
    List<String> states = List.copyOf(standing.states());
    List<String> reasons = standing.reasons().stream().map(EndReason::name).toList();
    int total =
        tx.query("select count(*)" + which)
            .bind("project", project)
            .bindArray("states", String.class, states)
            .bindArray("reasons", String.class, reasons)
            .mapTo(Integer.class)
            .one();
    List<Lease> leases =
        tx.query("select *" + which + " order by made_at desc, id desc limit :limit offset :offset")
            .bind("project", project)
            .bindArray("states", String.class, states)
            .bindArray("reasons", String.class, reasons)
            .bind("limit", limit)
            .bind("offset", offset)
            .map(LeaseRow.READ)
            .list();
    return new Part(leases, total);
  }

  /** A place in a list of leases, newest first; what comes after it is older. */
  public record Position(Instant madeAt, UUID id) {

    /** Where a lease stands. */
    public static Position of(Lease lease) {
      return new Position(lease.createdAt(), lease.id());
    }
  }

  /** Leases of these states that go on, and those that are over for these reasons. */
  public record Standing(Set<String> states, Set<EndReason> reasons) {}

  /** Leases, and how many there are besides. */
  public record Part(List<Lease> leases, int total) {}

  /** So many leases of a state at a provider. */
  public record Count(String provider, String state, int leases) {}

  /** Those whose ids, or names by their makers, begin so. */
  static List<Lease> byPrefix(Tx tx, UUID project, String prefix) {
    return tx.query(
            """
            select * from lease
             where project_id = :project
               and (id::text like :like or spec -> 'notes' ->> 'job_id' like :like)
             order by made_at desc, id desc limit 10
            """)
        .bind("project", project)
        .bind("like", prefix.replaceAll("[%_\\\\]", "\\\\$0") + "%")
        .map(LeaseRow.READ)
        .list();
  }

  /** How many leases of a project have not ended; counts no further than this. */
  static int countLiving(Tx tx, UUID project, int most) {
    return tx.query(
            "select count(*) from (select 1 from lease where project_id = :project and state <>"
                + " 'ended' limit :most) living")
        .bind("project", project)
        .bind("most", most)
        .mapTo(Integer.class)
        .one();
  }

  /** True while something goes on that somebody asked for. */
  public static boolean hasLiving(Tx tx, UUID person) {
    return tx.query(
            "select exists (select 1 from lease where requested_by = :person and state <> 'ended')")
        .bind("person", person)
        .mapTo(Boolean.class)
        .one();
  }

  /** Those that have not ended. */
  static List<UUID> living(Tx tx, int limit) {
    return tx.query("select id from lease where state <> 'ended' order by id limit :limit")
        .bind("limit", limit)
        .mapTo(UUID.class)
        .list();
  }

  /** How many leases there are of each state at each provider, but for those that have ended. */
  static List<Count> counts(Tx tx) {
    return tx.query(
            """
            select coalesce(provider, spec -> 'want' -> 'offer' ->> 'provider', '') as provider, state, count(*)::int as leases
              from lease where state <> 'ended' group by 1, 2 limit 1000
            """)
        .map(row ->
            new Count(
                row.getColumn("provider", String.class),
                row.getColumn("state", String.class),
                row.getColumn("leases", Integer.class)))
        .list();
  }
}
