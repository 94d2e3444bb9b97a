package gpuaas.fill;

import gpuaas.spi.disk.Disks.Room;
import java.util.List;
import java.util.Optional;

/** How full a disk is, and what of that is told. Pure. */
final class Fill {

  /** So many points below a threshold what was told of it is taken back. */
  static final int EASED_BY = 5;

  private static final int ALL = 100;

  private Fill() {}

  /**
   * How much is used of what can be kept on a disk: its size, or what its pool can still take if
   * that is less. A disk of which only the pool is known is as full as that.
   */
  static int percent(long sizeBytes, Optional<Long> usedBytes, Room room) {
    if (usedBytes.isEmpty()) {
      return room.usedPercent();
    }
    long used = usedBytes.get();
    long most = Math.min(sizeBytes, used + Math.max(0, room.freeBytes()));
    return most <= 0 ? ALL : (int) Math.min(ALL, used * ALL / most);
  }

  /**
   * The highest threshold that holds now; 0: none.
   *
   * @param told which held before
   */
  static int holding(int percent, int told, List<Integer> thresholds) {
    int passed = thresholds.stream().filter(one -> one <= percent).max(Integer::compare).orElse(0);
    return passed < told && percent > told - EASED_BY ? told : passed;
  }
}
