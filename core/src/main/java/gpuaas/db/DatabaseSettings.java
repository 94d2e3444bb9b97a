package gpuaas.db;

import java.time.Duration;

/**
 * How to reach PostgreSQL.
 *
 * @param url {@code jdbc:postgresql://host:port/name}
 * @param connections how many at once; few beat many
 * @param patience how long a request waits for a connection before it is told to come again
 * @param statementTimeout how long a read may take; what is longer is told to come again
 */
public record DatabaseSettings(
    String url,
    String user,
    String password,
    int connections,
    Duration patience,
    Duration statementTimeout) {

  /** For a read, when nothing is said. */
  public static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(10);

  public DatabaseSettings(
      String url, String user, String password, int connections, Duration patience) {
    this(url, user, password, connections, patience, STATEMENT_TIMEOUT);
  }

  /** The same with another timeout. */
  public DatabaseSettings withStatementTimeout(Duration timeout) {
    return new DatabaseSettings(url, user, password, connections, patience, timeout);
  }

  @Override
  public String toString() {
    return "DatabaseSettings[url=" + url + ", user=" + user + ", connections=" + connections + "]";
  }
}
