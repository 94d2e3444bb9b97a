package gpuaas.db;

import java.util.List;

/**
 * How rows of one kind are written together. One constant for each kind: what is put off with
 * {@link Tx#later} is gathered by it.
 */
@FunctionalInterface
public interface Batch<R> {

  /** Writes them, in this order, in as few statements as it can. */
  void write(Tx tx, List<R> rows);
}
