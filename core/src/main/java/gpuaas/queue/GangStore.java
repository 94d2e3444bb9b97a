package gpuaas.queue;

import gpuaas.db.Tx;
import gpuaas.queue.Gangs.Member;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Gangs, as their members in the table of leases say it. */
final class GangStore {

  /** What follows the label in the name of a gang: a slash and an id. */
  static final int ID_LENGTH = 37;

  private GangStore() {}

  /** Lets only one at a time join. */
  static void lock(Tx tx, UUID project, UUID person, String label) {
    tx.query("select 1 from pg_advisory_xact_lock(hashtextextended(:what, 0))")
        .bind("what", "gang " + project + " " + person + " " + label)
        .mapTo(Integer.class)
        .list();
  }

  static Optional<String> open(
      Tx tx, UUID project, UUID person, String label, int index, int size, Instant since) {
    return tx.query(
            """
            select spec -> 'gang' ->> 'name' as name from lease
             where project_id = :project and requested_by = :person and spec -> 'gang' ->> 'name' is not null
               and left(spec -> 'gang' ->> 'name', -:idLength) = :label
               and (spec -> 'gang' ->> 'size')::int = :size and made_at >= :since
             group by 1
            having bool_and(state = 'waiting') and count(*) < :size
               and not bool_or((spec -> 'gang' ->> 'index')::int = :index)
             order by max(made_at) desc limit 1
            """)
        .bind("project", project)
        .bind("person", person)
        .bind("idLength", ID_LENGTH)
        .bind("label", label)
        .bind("size", size)
        .bind("index", index)
        .bind("since", since)
        .mapTo(String.class)
        .findFirst();
  }

  static List<Member> members(Tx tx, UUID project, List<String> names) {
    return tx.query(
            """
            select id, spec -> 'gang' ->> 'name' as gang, (spec -> 'gang' ->> 'index')::int as index,
                   spec -> 'notes' ->> 'job_id' as shown_id,
                   case when state in ('stopping', 'ended') then lower(end_reason) end as why
              from lease
             where project_id = :project and spec -> 'gang' ->> 'name' = any(:names)
             order by 2, 3, made_at, id limit 100000
            """)
        .bind("project", project)
        .bindArray("names", String.class, names)
        .map(row ->
            new Member(
                row.getColumn("gang", String.class),
                row.getColumn("id", UUID.class),
                Optional.ofNullable(row.getColumn("shown_id", String.class)),
                row.getColumn("index", Integer.class),
                Optional.ofNullable(row.getColumn("why", String.class))))
        .list();
  }
}
