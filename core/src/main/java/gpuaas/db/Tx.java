package gpuaas.db;

import java.util.ArrayList;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.PreparedBatch;
import org.jdbi.v3.core.statement.Query;
import org.jdbi.v3.core.statement.Update;

/** A transaction. Passed to every store method, so that it is plain what is written together. */
public final class Tx {

  private final Handle handle;
  private final List<Runnable> afterCommit = new ArrayList<>();

  Tx(Handle handle) {
    this.handle = handle;
  }

  /** A statement that answers with rows. */
  public Query query(String sql) {
    return handle.createQuery(sql);
  }

  /** A statement that changes rows. */
  public Update update(String sql) {
    return handle.createUpdate(sql);
  }

  /** One statement with many rows of values. */
  public PreparedBatch batch(String sql) {
    return handle.prepareBatch(sql);
  }

  /** Runs after the commit, in the same thread; never when it is rolled back. */
  public void afterCommit(Runnable action) {
    afterCommit.add(action);
  }

  void committed() {
    afterCommit.forEach(Runnable::run);
  }
}
