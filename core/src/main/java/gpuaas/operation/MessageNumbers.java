package gpuaas.operation;

import gpuaas.db.Tx;

/** Numbers of requests that are promised and done later, counted from 1. */
public final class MessageNumbers {

  private MessageNumbers() {}

  /** The next one; a transaction that fails leaves a gap. */
  public static long next(Tx tx) {
    return MessageNumberStore.next(tx);
  }
}
