package gpuaas.work;

import java.time.Duration;

/** When to look again. */
public sealed interface Next {

  /** There is nothing left to do. */
  record Done() implements Next {}

  /** Look again after this pause, or when woken. */
  record After(Duration pause) implements Next {}

  /** At once, from what this step has just written; afresh when it was woken meanwhile. */
  record GoOn(Step step) implements Next {}

  /** What comes next, by somebody who knows how the row is. */
  @FunctionalInterface
  interface Step {
    /** As {@link Reconciler#step}, without the look. */
    Next take() throws InterruptedException;
  }

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

  /** At once, from what was just written. */
  static Next goOn(Step step) {
    return new GoOn(step);
  }
}
