package gpuaas.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.audit.AuditStore.Act;
import gpuaas.base.Caller;
import gpuaas.base.Standing;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** The trail says who did what, goes with its transaction, and cannot be changed. */
class AuditStoreTest {

  private static final UUID ID = new UUID(0, 1);
  private static final Caller CALLER =
      new Caller(ID, "someone", ID, ID, Standing.OWNER, java.util.Optional.empty(), "trace-1");

  @Test
  void isOnlyEverAddedTo() {
    try (Database database = TestDatabase.open()) {
      database.run(tx -> AuditStore.append(tx, CALLER, Act.ALLOCATION_CREATE, ID, Instant.EPOCH));
      assertThatThrownBy(
              () -> database.run(tx -> tx.update("update audit set action = 'other'").execute()))
          .hasMessageContaining("only ever added to");
      assertThatThrownBy(() -> database.run(tx -> tx.update("delete from audit").execute()))
          .hasMessageContaining("only ever added to");
      assertThat(actions(database)).containsExactly("allocation.create");
    }
  }

  @Test
  void goesWithItsTransaction() {
    try (Database database = TestDatabase.open()) {
      assertThatThrownBy(() ->
              database.run(tx -> {
                AuditStore.append(tx, CALLER, Act.SSH_KEY_DELETE, ID, Instant.EPOCH);
                throw new IllegalStateException("rolled back");
              }))
          .hasMessage("rolled back");
      assertThat(actions(database)).isEmpty();
    }
  }

  private static List<String> actions(Database database) {
    return database.read(tx -> AuditStore.actions(tx, ID));
  }
}
