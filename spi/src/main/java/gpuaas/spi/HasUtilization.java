package gpuaas.spi;

import java.time.Duration;
import java.util.Optional;

/** A provider that knows what an instance uses of what it has. */
public interface HasUtilization {

  /**
   * What it has used, and uses. Cheap, and may be asked every few seconds.
   *
   * @throws ProviderException.Unavailable when it does not run, or cannot be asked now
   */
  Utilization utilization(InstanceRef instance);

  /**
   * What an instance has used, and uses. What cannot be known is empty, and is never taken for
   * nothing.
   *
   * @param processorTime of all its processes since it was made, those that have ended too
   * @param milliCpus the most that it may use at once
   * @param gpuPercent how busy the busiest of its GPUs is now; 0 for simulated ones, which do no
   *     work
   */
  record Utilization(
      Optional<Duration> processorTime, int milliCpus, Optional<Integer> gpuPercent) {}
}
