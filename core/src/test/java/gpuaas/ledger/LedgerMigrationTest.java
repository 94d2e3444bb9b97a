package gpuaas.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.db.DatabaseSettings;
import gpuaas.db.TestDatabase;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;

/** A database with leases from before the ledger gets one, and its running leases go on. */
class LedgerMigrationTest {

  private static final String SCHEMA = "before_the_ledger";

  private static final String BEFORE =
      """
      insert into tenant values ('00000000-0000-0000-0000-000000000001', 'test', now());
      insert into project select id, id, 'test', 'test', now() from tenant;
      insert into person (id, username, default_project_id, made_at) select id, 'test', id, now() from tenant;
      insert into lease (id, version, tenant_id, project_id, requested_by, spec, sku, gpu_model, gpu_count,
                         price_per_gpu_hour_micros, correlation_id, made_at, state, attempt, place, instance_provider,
                         instance_id, ssh_host, ssh_port, ssh_user, since, metered_to, end_reason, ended_at)
      select ('00000000-0000-0000-0000-00000000001' || n)::uuid, 1, t.id, t.id, t.id, '{}', 'h200', 'H200', 2, 4000000, '',
             '2026-01-01Z', state, 1, '{}', 'local', 'i', 'h', 22, 'root', '2026-01-01 00:00:10Z', metered, reason, ended
        from tenant t, (values (1, 'running', timestamptz '2026-01-01 00:01:10Z', null, null::timestamptz),
                               (2, 'running', '2026-01-01 00:00:10Z', null, null),
                               (3, 'ended', null, 'ASKED', '2026-01-01 02:00:00Z'),
                               (4, 'waiting', null, null, null)) as v (n, state, metered, reason, ended);
      insert into usage values
        ('00000000-0000-0000-0000-000000000011', '2026-01-01 00:00:10Z', '2026-01-01 00:01:10Z', 2, 4000000, 'inspected');
      """;

  @Test
  void whatWasThereGoesOn() throws SQLException {
    DatabaseSettings settings = TestDatabase.settings();
    migrate(settings, "8");
    try (Connection connection =
            DriverManager.getConnection(settings.url(), settings.user(), settings.password());
        Statement statement = connection.createStatement()) {
      statement.execute("set search_path to " + SCHEMA);
      statement.execute(BEFORE);
      migrate(settings, "latest");
      List<String> holds = new ArrayList<>();
      try (ResultSet rows =
          statement.executeQuery(
              "select right(lease_id::text, 2) || ' ' || coalesce((started_at at time zone"
                  + " 'UTC')::text, '-') || ' ' || coalesce((used_to at time zone 'UTC')::text,"
                  + " '-') || ' ' || (closed_at is null) from hold order by lease_id")) {
        while (rows.next()) {
          holds.add(rows.getString(1));
        }
      }
      assertThat(holds)
          .containsExactly(
              "11 2026-01-01 00:00:10 2026-01-01 00:01:10 true",
              "12 2026-01-01 00:00:10 2026-01-01 00:00:10 true",
              "13 - - false",
              "14 - - true");
    }
  }

  private static void migrate(DatabaseSettings settings, String target) {
    Flyway.configure()
        .dataSource(settings.url(), settings.user(), settings.password())
        .locations("classpath:db")
        .schemas(SCHEMA)
        .target(target)
        .loggers("slf4j")
        .load()
        .migrate();
  }
}
