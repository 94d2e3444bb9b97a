package gpuaas.db;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.SQLException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.JdbiException;
import org.jspecify.annotations.Nullable;

/** The connections to PostgreSQL, and the transactions on them. */
public final class Database implements AutoCloseable {

  private static final String UNIQUE_VIOLATION = "23505";
  private static final String CANCELLED = "57014";

  private final HikariDataSource pool;
  private final Jdbi jdbi;
  private final GroupCommit group;

  private Database(HikariDataSource pool, DatabaseSettings settings) {
    this.pool = pool;
    this.jdbi = Jdbi.create(pool);
    this.group = new GroupCommit(jdbi, settings.groupWriters(), settings.groupMost());
  }

  /**
   * Connects, and brings the schema up to date. Throws {@link DatabaseGone} when there is none, and
   * {@link DatabaseUnfit} when it is of another version.
   */
  public static Database open(DatabaseSettings settings) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(settings.url());
    config.setUsername(settings.user());
    config.setPassword(settings.password());
    config.setMaximumPoolSize(settings.connections());
    config.setMinimumIdle(Math.min(2, settings.connections()));
    config.setConnectionTimeout(settings.patience().toMillis());
    config.setPoolName("gpuaas");
    config.setConnectionInitSql(
        "set statement_timeout = " + settings.statementTimeout().toMillis()); // whole numbers only
    config.addDataSourceProperty("tcpKeepAlive", "true");
    config.addDataSourceProperty("ApplicationName", "gpuaas");
    HikariDataSource pool;
    try {
      pool = new HikariDataSource(config);
    } catch (RuntimeException e) {
      throw new DatabaseGone(e);
    }
    // On connections of its own: a migration may take its time.
    try {
      Flyway.configure()
          .dataSource(settings.url(), settings.user(), settings.password())
          .locations("classpath:db")
          .loggers("slf4j")
          .load()
          .migrate();
    } catch (FlywayException e) {
      pool.close();
      throw new DatabaseUnfit(e);
    }
    return new Database(pool, settings);
  }

  /** Runs the work in a transaction, and then what it left for after the commit. */
  public <T extends @Nullable Object> T tx(Function<Tx, T> work) {
    Tx[] tx = new Tx[1];
    T result;
    try {
      result =
          jdbi.inTransaction(handle -> {
            tx[0] = new Tx(handle);
            T done = work.apply(tx[0]);
            tx[0].flush();
            return done;
          });
    } catch (JdbiException e) {
      throw translated(e);
    }
    tx[0].committed();
    return result;
  }

  /** The same, without a result. */
  public void run(Consumer<Tx> work) {
    tx(tx -> {
      work.accept(tx);
      return true;
    });
  }

  /**
   * Runs the work in a transaction that it may share with others who come at the same time; as good
   * as one of its own, and cheaper when many come. Work that has to read, or to claim a row that is
   * not new, had no effect then, and is done in another way.
   *
   * @param work decides by what it can {@link Tx#recall}, and puts off what it writes
   * @param otherwise what to do when it cannot be done together
   */
  public <T extends @Nullable Object> T together(Function<Tx, T> work, Supplier<T> otherwise) {
    return group.together(work, otherwise);
  }

  /**
   * For changes that share transactions among themselves alone, as they take locks in an order of
   * their own. Whoever asks for it closes it.
   */
  public GroupCommit group(int most) {
    return new GroupCommit(jdbi, 1, most);
  }

  /** Statements that need no transaction of their own. */
  public <T extends @Nullable Object> T read(Function<Tx, T> work) {
    try (Handle handle = jdbi.open()) {
      return work.apply(new Tx(handle));
    } catch (JdbiException e) {
      throw translated(e);
    }
  }

  /** True when it answers now. */
  public boolean isAlive() {
    try {
      return read(tx -> tx.query("select true").mapTo(Boolean.class).one());
    } catch (DatabaseGone e) {
      return false;
    }
  }

  /** For the library that does the background work. */
  public DataSource dataSource() {
    return pool;
  }

  @Override
  public void close() {
    group.close();
    pool.close();
  }

  static RuntimeException translated(JdbiException e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof SQLException sql) {
        String state = sql.getSQLState() == null ? "08000" : sql.getSQLState();
        if (state.equals(UNIQUE_VIOLATION)) {
          return new Duplicate(e);
        }
        if (state.equals(CANCELLED)) {
          return new DatabaseSlow(e);
        }
        // 08: connection; 57P: shutting down or starting; 53: no room; 25006: turned read-only
        if (state.startsWith("08")
            || state.startsWith("57P")
            || state.startsWith("53")
            || state.equals("25006")) {
          return new DatabaseGone(e);
        }
      }
    }
    return e;
  }
}
