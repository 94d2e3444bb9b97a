package gpuaas.db;

/**
 * A statement took longer than it may, and was ended. Nothing was done; later it may be faster, so
 * whoever waits for a database that is away waits for this as well.
 */
public final class DatabaseSlow extends DatabaseGone {

  DatabaseSlow(Throwable cause) {
    super(cause);
  }
}
