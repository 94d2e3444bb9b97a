package gpuaas.work;

import java.util.UUID;

/** Brings one row one step closer to where it should be. */
public interface Reconciler {

  /** The kind of work, such as {@code lease}. */
  String kind();

  /**
   * One idempotent step, from a fresh look at the row. An exception means: log it, and look again
   * after a growing pause.
   */
  Next step(UUID id) throws InterruptedException;
}
