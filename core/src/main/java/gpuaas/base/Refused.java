package gpuaas.base;

/** Carries a {@link Refusal} to the edge. A user's problem, not ours: it has no stack trace. */
public final class Refused extends RuntimeException {

  private final transient Refusal refusal;

  public Refused(Refusal refusal) {
    super(refusal.toString(), null, false, false);
    this.refusal = refusal;
  }

  /** What was refused. */
  public Refusal refusal() {
    return refusal;
  }
}
