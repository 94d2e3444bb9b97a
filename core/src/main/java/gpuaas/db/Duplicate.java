package gpuaas.db;

/** A row would have broken a unique constraint. */
public final class Duplicate extends RuntimeException {
  Duplicate(Throwable cause) {
    super(cause.getMessage(), cause);
  }
}
