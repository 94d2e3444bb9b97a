package gpuaas.db;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.PreparedBatch;
import org.jdbi.v3.core.statement.Query;
import org.jdbi.v3.core.statement.Update;
import org.jspecify.annotations.Nullable;

/**
 * A transaction. Passed to every store method, so that it is plain what is written together.
 *
 * <p>New rows can be put off with {@link #later}: they are written before the next statement, and
 * at the latest with the commit, so that whoever reads sees them. A change that does nothing but
 * put rows off and {@link #recall} can share a transaction with others, see {@link
 * Database#together}.
 */
public final class Tx {

  /** An insert has one plan: without this the database would look for a better one each time. */
  private static final String PLAN_ONCE = "set local plan_cache_mode = force_generic_plan;\n";

  private static final String PLAN_AS_USUAL = ";\nset local plan_cache_mode = auto";

  private final Handle handle;
  private final @Nullable Group group;
  private final Map<Object, @Nullable Object> memory;
  private final List<Runnable> afterCommit = new ArrayList<>();
  private final Map<Batch<?>, List<Object>> later = new LinkedHashMap<>();

  Tx(Handle handle) {
    this.handle = handle;
    this.group = null;
    this.memory = new HashMap<>();
  }

  private Tx(Handle handle, Group group, Map<Object, @Nullable Object> memory) {
    this.handle = handle;
    this.group = group;
    this.memory = memory;
  }

  /** One of those who share the transaction. */
  Tx member(Group group) {
    return new Tx(handle, group, memory);
  }

  /**
   * True when it may be shared with others: then {@link #query} and {@link #update} are for those
   * who need a transaction of their own.
   */
  public boolean isShared() {
    return group != null;
  }

  /** What a member of a group asks of it. */
  interface Group {
    <R> void claim(Claims<R> kind, R row);
  }

  /** A statement that answers with rows. */
  public Query query(String sql) {
    return own().createQuery(sql);
  }

  /** A statement that changes rows. */
  public Update update(String sql) {
    return own().createUpdate(sql);
  }

  /** One statement with many rows of values. */
  public PreparedBatch batch(String sql) {
    return own().prepareBatch(sql);
  }

  private Handle own() {
    if (group != null) {
      throw new OwnTransaction();
    }
    flush();
    return handle;
  }

  /** Writes a row with all others of its kind, before the next statement or the commit. */
  public <R> void later(Batch<R> kind, R row) {
    later.computeIfAbsent(kind, _ -> new ArrayList<>()).add(row);
  }

  /**
   * Makes the whole change depend on a row that must be the first of its key. Only for changes that
   * run {@link Database#together}; one that depends on two such rows needs a transaction of its
   * own.
   */
  public <R> void claim(Claims<R> kind, R row) {
    if (group == null) {
      throw new IllegalStateException("claims are for changes that are written together");
    }
    group.claim(kind, row);
  }

  /**
   * Reads once for the whole transaction; the next one with this key gets the same. For what
   * transactions that put rows off do not change.
   *
   * @param key has {@code equals}
   */
  @SuppressWarnings("unchecked")
  public <T extends @Nullable Object> T recall(Object key, Function<Tx, T> read) {
    if (!memory.containsKey(key)) {
      memory.put(key, read.apply(new Tx(handle)));
    }
    return (T) memory.get(key);
  }

  /** Runs after the commit, in the same thread; never when it is rolled back. */
  public void afterCommit(Runnable action) {
    afterCommit.add(action);
  }

  /** Takes over what another put off. */
  void addAll(Tx member) {
    member.later.forEach(
        (kind, rows) -> later.computeIfAbsent(kind, _ -> new ArrayList<>()).addAll(rows));
  }

  /** Writes what was put off, in one message to the database. */
  void flush() {
    if (later.isEmpty()) {
      return;
    }
    List<Statement<?>> statements = new ArrayList<>();
    later.forEach((kind, rows) -> statements.add(Statement.of(kind, rows)));
    later.clear();
    try (Update all =
        handle.createUpdate(
            statements.stream()
                .map(Statement::sql)
                .collect(Collectors.joining(";\n", PLAN_ONCE, PLAN_AS_USUAL)))) {
      statements.forEach(statement -> statement.bind(all));
      all.execute();
    }
  }

  /** The rows of a kind. */
  private record Statement<R>(Batch<R> kind, List<R> rows) {

    @SuppressWarnings("unchecked") // rows were put off with their kind
    static <R> Statement<R> of(Batch<R> kind, List<Object> rows) {
      return new Statement<>(kind, kind.prepare((List<R>) rows));
    }

    String sql() {
      return kind.sql(rows.size());
    }

    void bind(Update all) {
      kind.bind(all, rows);
    }
  }

  void committed() {
    afterCommit.forEach(Runnable::run);
  }

  /** Says that a change cannot share a transaction. Carries no trace: it is a way, no failure. */
  static final class OwnTransaction extends RuntimeException {
    OwnTransaction() {
      super("this change needs a transaction of its own", null, false, false);
    }
  }
}
