package gpuaas.db;

import java.util.List;
import org.jdbi.v3.core.statement.SqlStatement;

/**
 * How rows of one kind are written together. One constant for each kind: what is put off with
 * {@link Tx#later} is gathered by it. The statements of all kinds go to the database in one
 * message, so the names of parameters are its own.
 */
public interface Batch<R> {

  /** The rows that are really written, in the order in which their locks are to be taken. */
  default List<R> prepare(List<R> rows) {
    return rows;
  }

  /** One statement for that many rows. */
  String sql(int rows);

  /** Binds the rows. */
  void bind(SqlStatement<?> statement, List<R> rows);
}
