package gpuaas.db;

import java.util.List;
import java.util.function.Function;
import org.jdbi.v3.core.statement.Query;
import org.jdbi.v3.core.statement.SqlStatement;
import org.jspecify.annotations.Nullable;

/** New rows of a table, any number in one statement. */
public final class Insert<R> implements Batch<R> {

  private final String table;
  private final Rows<R> rows;
  private final String conflict;
  private final String sql;

  private Insert(String table, Rows<R> rows, String conflict) {
    this.table = table;
    this.rows = rows;
    this.conflict = conflict;
    this.sql =
        "insert into %s (%s) select * from unnest(%s) %s"
            .formatted(table, rows.names(), rows.arrays(), conflict)
            .strip();
  }

  /** Into this table; its columns are added one by one. */
  public static <R> Insert<R> into(String table) {
    return new Insert<>(table, Rows.called(table), "");
  }

  /**
   * With one more column.
   *
   * @param type of the database
   * @param value null stays null; everything else as its text
   */
  public Insert<R> with(String column, String type, Function<R, @Nullable Object> value) {
    return new Insert<>(table, rows.with(column, type, value), conflict);
  }

  /** With what is to be done with rows that are there: {@code on conflict …}, or returned. */
  public Insert<R> then(String clause) {
    return new Insert<>(table, rows, clause);
  }

  @Override
  public String sql(int count) {
    return sql;
  }

  /** Writes rows now, and reads the column that the clause returns. */
  public List<String> writeReturning(Tx tx, List<R> written) {
    Query query = tx.query(sql);
    bind(query, written);
    return query.mapTo(String.class).list();
  }

  @Override
  public void bind(SqlStatement<?> statement, List<R> written) {
    rows.bind(statement, written);
  }
}
