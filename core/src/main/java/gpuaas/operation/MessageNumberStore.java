package gpuaas.operation;

import gpuaas.db.Tx;

/** The count in the database. */
final class MessageNumberStore {

  private MessageNumberStore() {}

  static long next(Tx tx) {
    return tx.query("select nextval('message_number')").mapTo(Long.class).one();
  }
}
