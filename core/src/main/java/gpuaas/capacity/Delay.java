package gpuaas.capacity;

import java.time.Instant;
import java.util.Optional;

/**
 * Why a lease waits.
 *
 * @param position 1 is next
 * @param reason a sentence for its owner
 * @param estimatedStart when enough holders will have ended by themselves; empty when that is not
 *     known
 */
public record Delay(int position, String reason, Optional<Instant> estimatedStart) {}
