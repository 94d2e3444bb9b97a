package gpuaas.db;

import java.time.Duration;

/**
 * How to reach PostgreSQL.
 *
 * @param url {@code jdbc:postgresql://host:port/name}
 * @param connections how many at once; few beat many
 * @param patience how long a request waits for a connection before it is told to come again
 */
public record DatabaseSettings(
    String url, String user, String password, int connections, Duration patience) {

  @Override
  public String toString() {
    return "DatabaseSettings[url=" + url + ", user=" + user + ", connections=" + connections + "]";
  }
}
