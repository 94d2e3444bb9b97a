package gpuaas.http;

/**
 * An answer that is given from deep inside a handler; whatever it was about to change is undone.
 */
public final class Halt extends RuntimeException {

  private static final long serialVersionUID = 1;

  private final transient Reply reply;

  public Halt(Reply reply) {
    super("answered " + reply.status(), null, false, false);
    this.reply = reply;
  }

  /** The answer. */
  public Reply reply() {
    return reply;
  }
}
