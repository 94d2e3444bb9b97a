package gpuaas.gateway;

import java.util.Optional;

/** Which instance a name leads to. */
@FunctionalInterface
public interface Doors {

  /**
   * The door behind the user name of a log-in, which is a lease's id or one of its other names.
   * Empty as long as there is nothing to enter. Asked at every log-in and every new channel, and
   * regularly while a session is open, so it must be quick; it may block.
   */
  Optional<Door> find(String userName);
}
