package gpuaas.db;

import java.util.List;
import java.util.Set;

/**
 * How rows are written that only one may write, for changes that are written together with others:
 * who does not win his row has no effect.
 */
public interface Claims<R> {

  /** What only one may write. Has {@code equals}. */
  Object key(R row);

  /**
   * Writes them, none with the key of another.
   *
   * @return the keys of those that won
   */
  Set<Object> write(Tx tx, List<R> rows);
}
