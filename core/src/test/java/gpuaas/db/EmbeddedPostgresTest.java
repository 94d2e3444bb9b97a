package gpuaas.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Data survives a clean restart and a killed server; a server left running is used; strangers are
 * refused.
 */
class EmbeddedPostgresTest {

  @TempDir Path temporary;

  @BeforeEach
  void letOthersIn() throws Exception {
    Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @AfterEach
  void stop() {
    start().close();
  }

  private EmbeddedPostgres start() {
    Path programs = Path.of(System.getProperty("java.io.tmpdir"), "gpuaas-test-programs");
    return EmbeddedPostgres.start(programs, temporary.resolve("postgres"), true, "nobody");
  }

  private static Database open(EmbeddedPostgres postgres) {
    return Database.open(postgres.settings("gpuaas", 2, Duration.ofSeconds(5)));
  }

  private static void put(Database database, String name) {
    database.run(tx ->
        tx.update("insert into deployment_fact values (:name, 'x')").bind("name", name).execute());
  }

  private static List<String> names(Database database) {
    return database.read(tx ->
        tx.query("select name from deployment_fact order by name").mapTo(String.class).list());
  }

  @Test
  void dataSurvivesRestartAndKill() throws Exception {
    try (EmbeddedPostgres first = start();
        Database database = open(first)) {
      put(database, "one");
    }
    EmbeddedPostgres second = start();
    try (Database database = open(second)) {
      put(database, "two");
      long postmaster =
          Long.parseLong(
              Files.readAllLines(temporary.resolve("postgres/data/postmaster.pid")).getFirst());
      ProcessHandle.of(postmaster).orElseThrow().destroyForcibly();
      ProcessHandle.of(postmaster).ifPresent(process -> process.onExit().join());
    }
    EmbeddedPostgres third = start();
    try (Database database = open(third)) {
      assertThat(names(database)).containsExactly("one", "two");
    }
  }

  @Test
  void aServerLeftRunningIsUsed() throws Exception {
    start();
    String before = Files.readString(temporary.resolve("postgres/data/postmaster.pid"));
    start();
    assertThat(Files.readString(temporary.resolve("postgres/data/postmaster.pid")))
        .isEqualTo(before);
  }

  @Test
  void nobodyEntersWithoutThePassword() throws Exception {
    DatabaseSettings settings = start().settings("gpuaas", 1, Duration.ofSeconds(5));
    assertThatThrownBy(
            () -> DriverManager.getConnection(settings.url(), settings.user(), "guess").close())
        .hasMessageContaining("password authentication failed");
    assertThat(settings.toString()).doesNotContain(settings.password());
    assertThat(Files.getPosixFilePermissions(temporary.resolve("postgres/password")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }
}
