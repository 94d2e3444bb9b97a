package gpuaas.db;

/**
 * The database cannot be reached, or has no room to write; nothing is known to be wrong with the
 * request.
 */
public final class DatabaseGone extends RuntimeException {
  DatabaseGone(Throwable cause) {
    super("the database cannot be used: " + cause.getMessage(), cause);
  }
}
