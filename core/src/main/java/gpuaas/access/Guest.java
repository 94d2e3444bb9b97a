package gpuaas.access;

import java.util.List;
import java.util.UUID;

/**
 * Somebody whose public keys, as they are published elsewhere under this name, open a lease.
 *
 * @param owner true: whose lease it is; false: somebody they let in
 * @param keys as last looked at, lines of OpenSSH
 * @param problem why there are none; empty when there are
 */
public record Guest(UUID lease, String name, boolean owner, List<String> keys, String problem) {

  public Guest {
    keys = List.copyOf(keys);
  }

  /** True when they can enter. */
  public boolean mayEnter() {
    return !keys.isEmpty();
  }
}
