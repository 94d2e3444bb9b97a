package gpuaas.lease;

/**
 * A signal that cannot come in this state: a bug of ours. Logged and counted, never shown to a
 * user.
 */
public final class IllegalSignal extends IllegalStateException {

  public IllegalSignal(Lease lease, LeaseSignal signal) {
    super("lease " + lease.id() + " is " + lease.state().text() + " and got " + signal);
  }
}
