package gpuaas.ledger;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.db.Database;
import java.util.List;

/** What was used and what it cost, for callers. */
public final class Statement {

  private final Database database;

  public Statement(Database database) {
    this.database = database;
  }

  /** Use by bucket and group; the query must be of the caller's own tenant. */
  public List<UsageQuery.Row> buckets(Caller caller, UsageQuery query) {
    caller.require(Action.BILLING_READ);
    if (!query.tenant().equals(caller.tenant())) {
      throw new IllegalArgumentException("a statement of another tenant");
    }
    return database.read(tx -> UsageStore.buckets(tx, query));
  }
}
