package gpuaas.web;

import gpuaas.base.SecretBox;
import gpuaas.db.Tx;
import gpuaas.web.Web.Jupyter;
import gpuaas.web.Web.Port;
import gpuaas.web.Web.State;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jdbi.v3.core.result.RowView;

/** What is reached in a browser, in the database; the secrets are sealed. */
final class WebStore {

  private static final int ROWS_MOST = 1000;

  private final SecretBox secrets;

  WebStore(SecretBox secrets) {
    this.secrets = secrets;
  }

  private static String purpose(UUID lease) {
    return "web " + lease;
  }

  /** Makes the row if there is none. */
  void ensure(Tx tx, UUID lease, String hostName, Supplier<String> token, Instant now) {
    boolean there =
        tx.query("select exists (select 1 from lease_web where lease_id = :lease)")
            .bind("lease", lease)
            .mapTo(Boolean.class)
            .one();
    if (there) {
      return;
    }
    tx.update(
            """
            insert into lease_web (lease_id, host_name, token, jupyter_since) values (:lease, :hostName, :token, :now)
            on conflict do nothing
            """)
        .bind("lease", lease)
        .bind("hostName", hostName)
        .bind("token", secrets.seal(token.get(), purpose(lease)))
        .bind("now", now)
        .execute();
  }

  Optional<Web> find(Tx tx, UUID lease) {
    return of(tx, List.of(lease)).stream().findFirst();
  }

  Optional<Web> findByHostName(Tx tx, String hostName) {
    return tx.query("select lease_id from lease_web where host_name = :hostName")
        .bind("hostName", hostName)
        .mapTo(UUID.class)
        .findOne()
        .flatMap(lease -> find(tx, lease));
  }

  List<Web> of(Tx tx, List<UUID> leases) {
    Map<UUID, List<Declared>> ports =
        tx
            .query(
                "select * from lease_port where lease_id = any(:leases) order by port limit 100000")
            .bindArray("leases", UUID.class, leases)
            .map(WebStore::port)
            .stream()
            .collect(Collectors.groupingBy(Declared::lease));
    return tx.query("select * from lease_web where lease_id = any(:leases) limit :most")
        .bindArray("leases", UUID.class, leases)
        .bind("most", ROWS_MOST)
        .map(row -> read(row, ports))
        .list();
  }

  private record Declared(UUID lease, Port port) {}

  private static Declared port(RowView row) {
    return new Declared(
        row.getColumn("lease_id", UUID.class),
        new Port(
            row.getColumn("port", Integer.class), row.getColumn("strip_prefix", Boolean.class)));
  }

  private Web read(RowView row, Map<UUID, List<Declared>> ports) {
    UUID lease = row.getColumn("lease_id", UUID.class);
    return new Web(
        lease,
        row.getColumn("host_name", String.class),
        secrets.unseal(row.getColumn("token", String.class), purpose(lease)),
        ports.getOrDefault(lease, List.of()).stream().map(Declared::port).toList(),
        new Jupyter(
            row.getColumn("jupyter_wanted", Boolean.class),
            State.valueOf(row.getColumn("jupyter_state", String.class).toUpperCase(Locale.ROOT)),
            row.getColumn("jupyter_error", String.class),
            row.getColumn("jupyter_failures", Integer.class),
            row.getColumn("jupyter_since", Instant.class)));
  }

  static void putPort(Tx tx, UUID lease, Port port) {
    tx.update(
            """
            insert into lease_port (lease_id, port, strip_prefix) values (:lease, :port, :strip)
            on conflict (lease_id, port) do update set strip_prefix = excluded.strip_prefix
            """)
        .bind("lease", lease)
        .bind("port", port.number())
        .bind("strip", port.stripPrefix())
        .execute();
  }

  static boolean removePort(Tx tx, UUID lease, int port) {
    return tx.update("delete from lease_port where lease_id = :lease and port = :port")
            .bind("lease", lease)
            .bind("port", port)
            .execute()
        == 1;
  }

  /** What its owner wants; a new wish starts with no failures behind it. */
  static void want(Tx tx, UUID lease, boolean wanted) {
    tx.update(
            """
            update lease_web set jupyter_wanted = :wanted, jupyter_error = '', jupyter_failures = 0,
                   jupyter_state = case when jupyter_state = 'off' then 'off'
                                        when not :wanted then 'ending'
                                        when jupyter_state = 'failed' then 'off'
                                        else jupyter_state end
             where lease_id = :lease
            """)
        .bind("wanted", wanted)
        .bind("lease", lease)
        .execute();
  }

  /** How it is; what is wanted stays as it is, for that may have been changed meanwhile. */
  static void became(Tx tx, UUID lease, State state, String error, int failures, Instant now) {
    tx.update(
            """
            update lease_web set jupyter_state = :state, jupyter_error = :error, jupyter_failures = :failures,
                   jupyter_since = :now
             where lease_id = :lease
            """)
        .bind("state", state.name().toLowerCase(Locale.ROOT))
        .bind("error", error)
        .bind("failures", failures)
        .bind("now", now)
        .bind("lease", lease)
        .execute();
  }

  static void forget(Tx tx, UUID lease) {
    tx.update("delete from lease_web where lease_id = :lease").bind("lease", lease).execute();
  }
}
