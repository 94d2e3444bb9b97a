package gpuaas.lease;

import org.jspecify.annotations.NullMarked;
import org.jspecify.annotations.Nullable;

/** A promise of the system that did not hold. */
@NullMarked
final class Violation extends AssertionError {
  Violation(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
