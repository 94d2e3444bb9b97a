package gpuaas.local.disk;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which environment has which disk: what the environments' folders say, kept at hand. Read from
 * them anew by each process, so that nothing is held by what is not there.
 */
final class DiskHoldings {

  private final Map<String, String> holders = new ConcurrentHashMap<>();

  /** Notes what the folder of an environment says. */
  void adopt(String environment, String disk) {
    holders.put(disk, environment);
  }

  /** Takes a disk for an environment; otherwise says who has it. */
  Optional<String> take(String environment, String disk) {
    String holder = holders.putIfAbsent(disk, environment);
    return Optional.ofNullable(holder).filter(other -> !other.equals(environment));
  }

  /** Gives back what an environment has. */
  void release(String environment) {
    holders.values().removeIf(environment::equals);
  }

  /** Who has a disk. */
  Optional<String> holderOf(String disk) {
    return Optional.ofNullable(holders.get(disk));
  }

  /** Whether nobody has any. */
  boolean isIdle() {
    return holders.isEmpty();
  }
}
