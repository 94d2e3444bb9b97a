package gpuaas.db;

import java.util.List;
import java.util.Set;

/**
 * How rows are written of which each must be the first of its key, for changes that are written
 * together with others: whose row is not the first has no effect.
 */
public interface Claims<R> {

  /** What must be new. Has {@code equals}. */
  Object key(R row);

  /**
   * Writes them, none with the key of another.
   *
   * @return the keys of those that were new
   */
  Set<Object> write(Tx tx, List<R> rows);
}
