package gpuaas.local.image.registry;

import java.io.IOException;

/** An image cannot be had. The message is a sentence for whoever asked for it. */
public final class PullFailed extends IOException {

  private static final long serialVersionUID = 1;

  private final Reason reason;

  /** With a sentence. */
  PullFailed(Reason reason, String sentence) {
    super(sentence);
    this.reason = reason;
  }

  /** What kind of failure it is. */
  public Reason reason() {
    return reason;
  }

  /** Why images cannot be had. */
  public enum Reason {
    /** The registry has no such image, or does not say. */
    UNKNOWN,
    UNAUTHORIZED,
    /** It is for other machines. */
    PLATFORM,
    NO_SPACE,
    TOO_LARGE,
    UNREACHABLE,
    NOT_ALLOWED,
    TIMEOUT,
    STALLED,
    /** It breaks rules, or nobody could log in to it. */
    UNUSABLE,
    /** The provider is being closed; the next process goes on. */
    CLOSED
  }
}
