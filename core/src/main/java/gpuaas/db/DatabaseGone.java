package gpuaas.db;

/**
 * The database cannot be reached, has no room to write, or is too slow; nothing is known to be
 * wrong with the request.
 */
public sealed class DatabaseGone extends RuntimeException permits DatabaseSlow {
  DatabaseGone(Throwable cause) {
    super("the database cannot be used: " + cause.getMessage(), cause);
  }
}
