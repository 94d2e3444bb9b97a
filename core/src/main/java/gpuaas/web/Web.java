package gpuaas.web;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * What of a lease can be reached in a browser.
 *
 * @param hostName how addresses name the lease
 * @param token the secret that opens all of it
 * @param ports those that were declared, by number
 */
public record Web(UUID lease, String hostName, String token, List<Port> ports, Jupyter jupyter) {

  /** Where Jupyter listens inside. */
  public static final int JUPYTER_PORT = 8888;

  public Web {
    ports = List.copyOf(ports);
  }

  /**
   * A port inside.
   *
   * @param stripPrefix true: what listens there does not know under which path it is reached
   */
  public record Port(int number, boolean stripPrefix) {}

  /** How Jupyter is. */
  public enum State {
    /** It was never started, or ended. */
    OFF,
    /** It was started, and does not answer yet. */
    STARTING,
    /** It answers. */
    ON,
    /** It could not be started, or died; it is tried again. */
    FAILED,
    /** It was not wanted for a while, and ends, whatever is wanted by now. */
    ENDING
  }

  /**
   * Jupyter, as it is wanted and as it is.
   *
   * @param error why it is not on, in words for its owner; empty: nothing is known
   * @param failures one after the other
   * @param since when its state came to be
   */
  public record Jupyter(boolean wanted, State state, String error, int failures, Instant since) {

    /** True when somebody who goes there finds it. */
    public boolean isOn() {
      return wanted && state == State.ON;
    }
  }

  /** The port of this number, if it may be reached. Jupyter's own is there while it is wanted. */
  public Optional<Port> port(int number) {
    if (number == JUPYTER_PORT && jupyter.wanted()) {
      return Optional.of(new Port(JUPYTER_PORT, false));
    }
    return ports.stream().filter(port -> port.number() == number).findFirst();
  }

  /** Whether what listens at a port asks for the token itself. */
  public boolean isJupyter(int number) {
    return number == JUPYTER_PORT && jupyter.wanted();
  }

  @Override
  public String toString() {
    return "Web[" + hostName + ", " + ports + ", " + jupyter + "]"; // never the secret
  }
}
