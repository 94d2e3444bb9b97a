package gpuaas.local;

import gpuaas.local.disk.DiskStep;
import gpuaas.local.image.registry.PullStep;

/** Told after each step of making an environment, so that a test can end it all right there. */
@FunctionalInterface
public interface StepHook {

  /** Does nothing. */
  StepHook NONE = step -> {};

  /** Called when a step is done. What it throws ends the work as a crash would. */
  void after(Step step);

  /** The same for work on disks. */
  default void afterDisk(DiskStep step) {}

  /** The same for fetching images, in threads of their own. */
  default void afterPull(PullStep step) {}

  /** The steps of making an environment, in order. */
  enum Step {
    FOLDER,
    STATE,
    FILES,
    MOUNTED,
    CONFIGURED,
    STARTED,
    CONFINED
  }
}
