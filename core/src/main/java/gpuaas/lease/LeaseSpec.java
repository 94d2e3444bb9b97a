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
 * @param patience how long to look for room before {@code FAIL} fails; does not matter for {@code
 *     QUEUE}
 */
public record LeaseSpec(
    Want want,
    String image,
    List<UUID> sshKeys,
    Map<String, String> environment,
    Optional<Duration> term,
    WhenFull whenFull,
    Duration patience,
    Guards guards) {

  public LeaseSpec {
    sshKeys = List.copyOf(sshKeys);
    environment = Map.copyOf(environment);
    // Rows that were written before these existed have neither.
    patience = patience == null ? Duration.ZERO : patience;
    guards = guards == null ? Guards.NONE : guards;
  }

  /** A lease in the queue, until somebody stops it. */
  public static LeaseSpec queued(Want want, String image, List<UUID> sshKeys) {
    return new LeaseSpec(
        want,
        image,
        sshKeys,
        Map.of(),
        Optional.empty(),
        WhenFull.QUEUE,
        Duration.ZERO,
        Guards.NONE);
  }

  /** What to do when there is no room. */
  public enum WhenFull {
    /** Wait in turn. */
    QUEUE,
    /** End when there is still none after some patience. */
    FAIL
  }
}
