package gpuaas.db;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jdbi.v3.core.statement.Query;
import org.jdbi.v3.core.statement.SqlStatement;
import org.jspecify.annotations.Nullable;

/**
 * New rows of a table, any number in one statement: a column is one array. The values go as text,
 * which the database reads by the type of the column.
 */
public final class Insert<R> implements Batch<R> {

  private record Column<R>(String name, String type, Function<R, @Nullable Object> value) {}

  private final String table;
  private final List<Column<R>> columns;
  private final String conflict;
  private final String sql;

  private Insert(String table, List<Column<R>> columns, String conflict) {
    this.table = table;
    this.columns = columns;
    this.conflict = conflict;
    String arrays =
        IntStream.range(0, columns.size())
            .mapToObj(i -> ":" + parameter(i) + "::" + columns.get(i).type() + "[]")
            .collect(Collectors.joining(", "));
    String names = columns.stream().map(Column::name).collect(Collectors.joining(", "));
    this.sql =
        "insert into %s (%s) select * from unnest(%s) %s"
            .formatted(table, names, arrays, conflict)
            .strip();
  }

  /** Into this table; its columns are added one by one. */
  public static <R> Insert<R> into(String table) {
    return new Insert<>(table, List.of(), "");
  }

  /**
   * With one more column.
   *
   * @param type of the database
   * @param value null stays null; everything else as its text
   */
  public Insert<R> with(String column, String type, Function<R, @Nullable Object> value) {
    List<Column<R>> more = new ArrayList<>(columns);
    more.add(new Column<>(column, type, value));
    return new Insert<>(table, List.copyOf(more), conflict);
  }

  /** With what is to be done with rows that are there: {@code on conflict …}, or returned. */
  public Insert<R> then(String clause) {
    return new Insert<>(table, columns, clause);
  }

  @Override
  public String sql(int rows) {
    return sql;
  }

  /** Writes rows now, and reads the column that the clause returns. */
  public List<String> writeReturning(Tx tx, List<R> rows) {
    Query query = tx.query(sql);
    bind(query, rows);
    return query.mapTo(String.class).list();
  }

  private String parameter(int column) {
    return table + column;
  }

  @Override
  public void bind(SqlStatement<?> statement, List<R> rows) {
    for (int i = 0; i < columns.size(); i++) {
      Function<R, @Nullable Object> value = columns.get(i).value();
      @Nullable String[] texts = new String[rows.size()];
      for (int row = 0; row < texts.length; row++) {
        Object each = value.apply(rows.get(row));
        texts[row] = each == null ? null : each.toString();
      }
      statement.bindArray(parameter(i), String.class, (Object[]) texts);
    }
  }
}
