package gpuaas.db;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jdbi.v3.core.statement.SqlStatement;
import org.jspecify.annotations.Nullable;

/**
 * Rows of values for a statement, any number of them: a column is one array. The values go as text,
 * which the database reads by the type of the column.
 */
public final class Rows<R> {

  private record Column<R>(String name, String type, Function<R, @Nullable Object> value) {}

  private final String name;
  private final List<Column<R>> columns;

  private Rows(String name, List<Column<R>> columns) {
    this.name = name;
    this.columns = columns;
  }

  /** Rows that a statement knows by this name; their columns are added one by one. */
  public static <R> Rows<R> called(String name) {
    return new Rows<>(name, List.of());
  }

  /**
   * With one more column.
   *
   * @param type of the database
   * @param value null stays null; everything else as its text
   */
  public Rows<R> with(String column, String type, Function<R, @Nullable Object> value) {
    List<Column<R>> more = new ArrayList<>(columns);
    more.add(new Column<>(column, type, value));
    return new Rows<>(name, List.copyOf(more));
  }

  /** As a table in {@code from}. */
  public String table() {
    return "unnest(%s) as %s (%s)".formatted(arrays(), name, names());
  }

  String arrays() {
    return IntStream.range(0, columns.size())
        .mapToObj(i -> ":" + parameter(i) + "::" + columns.get(i).type() + "[]")
        .collect(Collectors.joining(", "));
  }

  String names() {
    return columns.stream().map(Column::name).collect(Collectors.joining(", "));
  }

  private String parameter(int column) {
    return name + column;
  }

  /** Binds the rows. */
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
