package gpuaas.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.base.Caller;
import gpuaas.base.Refused;
import gpuaas.base.Standing;
import gpuaas.events.Event;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.ledger.LedgerRules;
import gpuaas.operation.Operation;
import gpuaas.operation.Operation.State;
import gpuaas.operation.Operations;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What can be asked of an operation while its lease lives and after, on a real database. */
class OperationsTest {

  private static final Caller USER = Desk.caller(Standing.OWNER);

  private final Desk desk = new Desk(LedgerRules.standard(), 2);
  private final Operations operations = new Operations(desk.database);

  @AfterEach
  void close() {
    desk.close();
  }

  private Operation creation(UUID lease) {
    return operations.get(USER, Event.idOf(lease, 0));
  }

  private Operation deletion(UUID lease) {
    return desk.database.tx(tx -> operations.deletion(tx, lease));
  }

  @Test
  void eachStateComesOnceAndTheLastIsFinal() {
    // Shows the states in their order, and that what has ended never changes, whatever follows.
    UUID id = desk.request(1, Tier.ON_DEMAND);
    List<State> seen = new ArrayList<>(List.of(creation(id).state()));
    desk.stepTo(id, "booting");
    seen.add(creation(id).state());
    desk.stepTo(id, "running");
    Operation made = creation(id);
    seen.add(made.state());
    assertThat(seen).containsExactly(State.PENDING, State.IN_PROGRESS, State.SUCCEEDED);
    assertThat(made.completedAt()).isEqualTo(desk.lease(id).history().readyAt());
    desk.stop(id);
    Operation ending = deletion(id);
    assertThat(ending.state()).isEqualTo(State.IN_PROGRESS);
    assertThat(operations.get(USER, ending.id())).isEqualTo(ending);
    desk.stepTo(id, "ended");
    assertThat(operations.get(USER, ending.id()).state()).isEqualTo(State.SUCCEEDED);
    assertThat(creation(id)).isEqualTo(made);
  }

  @Test
  void aStopOvertakesAndAFailureSaysWhy() {
    UUID stopped = desk.request(1, Tier.ON_DEMAND);
    desk.stop(stopped);
    assertThat(creation(stopped).state()).isEqualTo(State.CANCELLED);
    UUID unlucky = desk.request(Desk.spec(8, Tier.ON_DEMAND, LeaseSpec.WhenFull.FAIL, Guards.NONE));
    desk.stepTo(unlucky, "ended");
    assertThat(creation(unlucky).state()).isEqualTo(State.FAILED);
    assertThat(creation(unlucky).reason()).contains("no_capacity");
  }

  @Test
  void anyNumberOfWarningsHidesNothing() {
    // A long life may be warned of idleness more often than any list is long.
    UUID id = desk.request(1, Tier.ON_DEMAND);
    desk.stepTo(id, "running");
    desk.database.run(tx ->
        tx.update(
                """
                insert into event (id, type, lease_id, project_id, sequence, at, correlation_id, details)
                select gen_random_uuid(), 'lease.idle.warning', id, project_id, -n, now(), 'test', '{}'
                  from lease, generate_series(1, 1500) n where id = :id
                """)
            .bind("id", id)
            .execute());
    desk.clock.advance(Duration.ofHours(1));
    desk.stop(id);
    desk.stepTo(id, "ended");
    assertThat(creation(id).state()).isEqualTo(State.SUCCEEDED);
    assertThat(deletion(id).state()).isEqualTo(State.SUCCEEDED);
  }

  @Test
  void othersOperationsAndOtherEventsAreNotThere() {
    UUID id = desk.request(1, Tier.ON_DEMAND);
    desk.stepTo(id, "running");
    UUID elsewhere = new UUID(0, 9);
    Caller other =
        new Caller(
            elsewhere, "other", elsewhere, elsewhere, Standing.OWNER, Optional.empty(), "trace-8");
    assertThatThrownBy(() -> operations.get(other, Event.idOf(id, 0))).isInstanceOf(Refused.class);
    assertThatThrownBy(() -> operations.get(USER, Event.idOf(id, 1))).isInstanceOf(Refused.class);
    assertThatThrownBy(() -> operations.get(USER, id)).isInstanceOf(Refused.class);
  }
}
