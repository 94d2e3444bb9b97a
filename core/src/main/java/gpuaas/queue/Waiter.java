package gpuaas.queue;

import gpuaas.capacity.FreeIndex.Slot;
import gpuaas.catalog.Gang;
import gpuaas.catalog.Want;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * A lease in the line.
 *
 * @param person whose it is
 * @param pricePerGpuHourMicros what it pays: nothing is rented for more
 * @param since when it was asked for
 * @param holds for how long it will have its GPUs at the most, once it runs; empty: nobody knows
 * @param attempts how often it was placed before. Who was declined keeps the turn, and is placed
 *     only when he asks for it himself, after a pause
 */
public record Waiter(
    UUID id,
    UUID person,
    UUID project,
    Want want,
    long pricePerGpuHourMicros,
    Instant since,
    Optional<Duration> holds,
    int attempts,
    Optional<Gang> gang) {

  /** True when a room costs us no more than is paid for it. */
  boolean affords(Slot slot) {
    return !slot.room().node().isEmpty()
        || slot.room().offer().pricePerGpuHour().micros() <= pricePerGpuHourMicros;
  }
}
