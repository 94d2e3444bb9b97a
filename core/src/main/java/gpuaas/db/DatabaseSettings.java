package gpuaas.db;

import java.time.Duration;

/**
 * How to reach PostgreSQL.
 *
 * @param url {@code jdbc:postgresql://host:port/name}
 * @param connections how many at once; few beat many
 * @param patience how long a request waits for a connection before it is told to come again
 * @param groupWriters how many transactions that are shared by requests run at once
 * @param groupMost how many requests share one at most
 */
public record DatabaseSettings(
    String url,
    String user,
    String password,
    int connections,
    Duration patience,
    int groupWriters,
    int groupMost) {

  private static final int GROUP_WRITERS = 2;
  private static final int GROUP_MOST = 100;

  public DatabaseSettings(
      String url, String user, String password, int connections, Duration patience) {
    this(url, user, password, connections, patience, GROUP_WRITERS, GROUP_MOST);
  }

  @Override
  public String toString() {
    return "DatabaseSettings[url=" + url + ", user=" + user + ", connections=" + connections + "]";
  }
}
