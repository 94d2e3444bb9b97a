package gpuaas.work;

import java.time.Duration;

/** When to look again. */
public sealed interface Next {

  /** There is nothing left to do. */
  record Done() implements Next {}

  /** Look again after this pause, or when woken. */
  record After(Duration pause) implements Next {}

  /** Nothing left to do. */
  static Next done() {
    return new Done();
  }

  /** At once. */
  static Next now() {
    return new After(Duration.ZERO);
  }

  /** After a pause. */
  static Next after(Duration pause) {
    return new After(pause);
  }
}
