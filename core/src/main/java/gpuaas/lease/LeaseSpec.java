package gpuaas.lease;

import gpuaas.catalog.Want;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * What was asked for. Never changes.
 *
 * @param image by name; empty: the provider's default environment
 * @param sshKeys ids of registered keys that open it
 * @param environment variables for every process inside
 * @param term how long it runs; empty: until somebody stops it
 * @param whenFull what to do when there is no room
 */
public record LeaseSpec(
    Want want,
    String image,
    List<UUID> sshKeys,
    Map<String, String> environment,
    Optional<Duration> term,
    WhenFull whenFull) {

  public LeaseSpec {
    sshKeys = List.copyOf(sshKeys);
    environment = Map.copyOf(environment);
  }

  /** What to do when there is no room. */
  public enum WhenFull {
    /** Wait in turn. */
    QUEUE,
    /** End at once. */
    FAIL
  }
}
