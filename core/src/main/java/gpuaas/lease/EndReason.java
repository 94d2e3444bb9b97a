package gpuaas.lease;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Why a lease ended or is ending. */
public enum EndReason {
  /** Somebody asked. */
  ASKED(false),
  /** Its term was over. */
  EXPIRED(false),
  /** Its command has ended, and so did it. */
  COMPLETED(false),
  /** The same, with an exit code other than 0. */
  COMMAND_FAILED(false),
  /** Nobody used it for as long as it was to wait. */
  IDLE(false),
  /** A spot lease made room for one on demand. */
  RECLAIMED(false),
  /** The account is empty, or a budget is used up. */
  OUT_OF_FUNDS(false),
  /** No place was found, and it was not to wait. */
  NO_CAPACITY(true),
  /** It has waited in the queue for as long as it was to. */
  WAITED_TOO_LONG(false),
  /** It was declined too often. */
  DECLINED(true),
  /** The instance came up broken. */
  BOOT_FAILED(true),
  /** The instance did not answer in time. */
  BOOT_TIMEOUT(true),
  /** The provider says that the instance is gone, and we did not ask for it. */
  LOST(true),
  /** Another member of its gang failed, or never came. */
  GANG(true),
  /** Whoever runs the platform ended it. */
  FORCED(false),
  /**
   * Whoever runs the platform gave up on proving that nothing of it is left: what it held stays
   * blocked until that is known.
   */
  CLEANUP_UNPROVEN(true);

  private final boolean failure;

  EndReason(boolean failure) {
    this.failure = failure;
  }

  /** True when the user did not get what was asked for. */
  public boolean isFailure() {
    return failure;
  }

  /** The names, in the database, of those that are failures. */
  static List<String> failures() {
    return Arrays.stream(values()).filter(EndReason::isFailure).map(EndReason::name).toList();
  }

  /** The reason of this name; empty when there is none. */
  public static Optional<EndReason> of(String text) {
    return Arrays.stream(values()).filter(reason -> reason.text().equals(text)).findFirst();
  }

  /** The name outside: {@code boot_timeout}. */
  public String text() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
