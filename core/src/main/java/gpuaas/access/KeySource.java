package gpuaas.access;

import java.util.List;

/** Where people publish their public keys under a name. */
@FunctionalInterface
public interface KeySource {

  /**
   * The keys of a name, as lines; none when nobody has this name, or they publish none. Blocks for
   * its own limit at most.
   *
   * @throws Away when that cannot be known now
   */
  List<String> keys(String name) throws Away, InterruptedException;

  /** It cannot be asked now; nothing may be concluded. */
  final class Away extends Exception {
    private static final long serialVersionUID = 1;

    public Away(String message) {
      super(message);
    }
  }
}
