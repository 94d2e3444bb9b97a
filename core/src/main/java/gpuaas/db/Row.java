package gpuaas.db;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jdbi.v3.core.mapper.RowMapper;
import org.jdbi.v3.core.result.ResultSetException;
import org.jspecify.annotations.Nullable;

/**
 * A row of an answer, for those that are read many times a second: its columns are read as what
 * they are, without asking how. What may be null says so.
 */
public final class Row {

  private final ResultSet columns;

  private Row(ResultSet columns) {
    this.columns = columns;
  }

  /** Reads rows in this way. */
  public static <R> RowMapper<R> mapper(Function<Row, R> read) {
    return (columns, _) -> read.apply(new Row(columns));
  }

  /** A text. */
  public String text(String column) {
    return there(column, textOrNull(column));
  }

  /** A text. */
  public @Nullable String textOrNull(String column) {
    return read(() -> columns.getString(column));
  }

  /** An id. */
  public UUID id(String column) {
    return there(column, idOrNull(column));
  }

  /** An id. */
  public @Nullable UUID idOrNull(String column) {
    return read(() -> columns.getObject(column, UUID.class));
  }

  /** A time. */
  public Instant instant(String column) {
    return there(column, instantOrNull(column));
  }

  /** A time. */
  public @Nullable Instant instantOrNull(String column) {
    OffsetDateTime time = read(() -> columns.getObject(column, OffsetDateTime.class));
    return time == null ? null : time.toInstant();
  }

  /** A number; 0 when it is null. */
  public long number(String column) {
    return there(column, read(() -> columns.getLong(column)));
  }

  /** Texts. */
  public List<String> texts(String column) {
    return List.of(there(column, read(() -> (String[]) columns.getArray(column).getArray())));
  }

  private static <T> T there(String column, @Nullable T value) {
    if (value == null) {
      throw new IllegalStateException("there is nothing in " + column);
    }
    return value;
  }

  private interface Reading<T extends @Nullable Object> {
    T read() throws SQLException;
  }

  private static <T extends @Nullable Object> T read(Reading<T> reading) {
    try {
      return reading.read();
    } catch (SQLException e) {
      throw new ResultSetException("cannot read a column", e, null);
    }
  }
}
