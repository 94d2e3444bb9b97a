package gpuaas.spi;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A process to start inside an instance, as its login user in its home folder.
 *
 * @param command the program and its arguments; empty: the user's login shell
 * @param terminal present: with a terminal of this kind and size, else with three pipes
 * @param environment variables on top of the instance's own
 */
public record ExecRequest(
    List<String> command, Optional<Terminal> terminal, Map<String, String> environment) {

  public ExecRequest {
    command = List.copyOf(command);
    environment = Map.copyOf(environment);
  }

  /**
   * A terminal.
   *
   * @param type the value of {@code TERM}
   */
  public record Terminal(String type, int columns, int rows) {}
}
