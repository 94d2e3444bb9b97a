package gpuaas.spi;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A provider's no. The type says what the caller may conclude, and so what happens to the lease;
 * the message is for operators and never reaches a user.
 */
public abstract sealed class ProviderException extends RuntimeException {

  private ProviderException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** Nothing happened: there is no room for this now. Another offer, or later, may do. */
  public static final class NoCapacity extends ProviderException {
    public NoCapacity(String message) {
      super(message, null);
    }
  }

  /** Nothing happened: this very offer no longer exists. */
  public static final class OfferGone extends ProviderException {
    public OfferGone(String message) {
      super(message, null);
    }
  }

  /** Nothing happened, and asking again with the same request will not help. */
  public static final class Rejected extends ProviderException {
    public Rejected(String message) {
      super(message, null);
    }
  }

  /** Nothing happened: the provider does not accept our credentials. */
  public static final class BadCredentials extends ProviderException {
    public BadCredentials(String message) {
      super(message, null);
    }
  }

  /** Nothing happened: too many calls. */
  public static final class RateLimited extends ProviderException {
    private final Duration retryAfter;

    public RateLimited(String message, Duration retryAfter) {
      super(message, null);
      this.retryAfter = retryAfter;
    }

    /** How long to stay away. */
    public Duration retryAfter() {
      return retryAfter;
    }
  }

  /** Surely nothing happened: the provider could not be reached. */
  public static final class Unavailable extends ProviderException {
    public Unavailable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** The call was made and its answer was lost: something may have happened. */
  public static final class OutcomeUnknown extends ProviderException {
    public OutcomeUnknown(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** True when nothing can exist at the provider because of the call that threw this. */
  public boolean surelyNothingHappened() {
    return !(this instanceof OutcomeUnknown);
  }
}
