package gpuaas.db;

import java.time.Duration;

/**
 * How to reach PostgreSQL.
 *
 * @param url {@code jdbc:postgresql://host:port/name}
 * @param connections how many at once; few beat many
 * @param patience how long a request waits for a connection before it is told to come again
 * @param statementTimeout how long a statement may take; who asked for more is told to come again
 * @param groupWriters how many transactions that are shared by requests run at once
 * @param groupMost how many requests share one at most
 */
public record DatabaseSettings(
    String url,
    String user,
    String password,
    int connections,
    Duration patience,
    Duration statementTimeout,
    int groupWriters,
    int groupMost) {

  /** When nothing is said. */
  public static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(10);

  /** One: more would make each group smaller, and a group costs nearly as much as one change. */
  public static final int GROUP_WRITERS = 1;

  public static final int GROUP_MOST = 100;

  public DatabaseSettings(
      String url, String user, String password, int connections, Duration patience) {
    this(url, user, password, connections, patience, STATEMENT_TIMEOUT, GROUP_WRITERS, GROUP_MOST);
  }

  /** The same with another timeout. */
  public DatabaseSettings withStatementTimeout(Duration timeout) {
    return new DatabaseSettings(
        url, user, password, connections, patience, timeout, groupWriters, groupMost);
  }

  /** The same with other limits of shared transactions. */
  public DatabaseSettings withGroups(int writers, int most) {
    return new DatabaseSettings(
        url, user, password, connections, patience, statementTimeout, writers, most);
  }

  @Override
  public String toString() {
    return "DatabaseSettings[url=" + url + ", user=" + user + ", connections=" + connections + "]";
  }
}
