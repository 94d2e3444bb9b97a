package gpuaas.db;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A database for a test class, all migrations applied: a copy of a template in a PostgreSQL that
 * all test classes of a run share. It forgets everything when the run ends.
 */
public final class TestDatabase {

  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final String TEMPLATE = "template_migrated";
  private static final EmbeddedPostgres POSTGRES = start();

  private TestDatabase() {}

  /** A database of one's own. */
  public static Database open() {
    return Database.open(settings());
  }

  /** How to reach a new database, for a test that opens it by itself. */
  public static DatabaseSettings settings() {
    String name = "test_" + COUNT.incrementAndGet();
    POSTGRES.createDatabase(name, TEMPLATE);
    return POSTGRES.settings(name, 8, Duration.ofSeconds(5));
  }

  private static EmbeddedPostgres start() {
    try {
      Path cache = Path.of(System.getProperty("java.io.tmpdir"), "gpuaas-test-programs");
      Path folder = Files.createTempDirectory("gpuaas-test-postgres");
      Files.setPosixFilePermissions(
          folder, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
      EmbeddedPostgres postgres =
          EmbeddedPostgres.start(cache, folder.resolve("postgres"), false, "nobody");
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(postgres, folder)));
      Database.open(postgres.settings(TEMPLATE, 2, Duration.ofSeconds(30))).close();
      return postgres;
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void stop(EmbeddedPostgres postgres, Path folder) {
    postgres.close();
    try {
      new ProcessBuilder("rm", "-rf", folder.toString()).start().waitFor();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
