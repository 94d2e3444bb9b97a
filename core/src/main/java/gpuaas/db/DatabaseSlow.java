package gpuaas.db;

/** A read took longer than it may, and was ended. Nothing was done; later it may be faster. */
public final class DatabaseSlow extends RuntimeException {

  DatabaseSlow(Throwable cause) {
    super("a read took too long", cause);
  }
}
