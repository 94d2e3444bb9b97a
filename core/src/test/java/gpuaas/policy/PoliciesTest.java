package gpuaas.policy;

import static gpuaas.policy.PolicyDefinition.REQUESTS_PER_MINUTE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.audit.AuditStore;
import gpuaas.base.Caller;
import gpuaas.base.Standing;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.policy.Policies.Outcome;
import gpuaas.policy.PolicyValue.Author;
import gpuaas.policy.PolicyValue.Scope;
import gpuaas.policy.PolicyValue.Slot;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What is set holds here at once and elsewhere soon, and goes on while the database is away. */
class PoliciesTest {

  private static final UUID ID = new UUID(0, 1);
  private static final Caller ADMIN =
      new Caller(ID, "admin", ID, ID, Standing.PLATFORM_ADMIN, Optional.empty(), "trace-1");
  private static final Slot ALL =
      new Slot(REQUESTS_PER_MINUTE, Scope.GLOBAL, Slot.NOBODY, Author.PLATFORM);

  private static Policies open(Database database) {
    return Policies.open(
        database,
        InstantSource.fixed(Instant.EPOCH),
        new PolicyRules(Map.of(REQUESTS_PER_MINUTE, 100L), Duration.ofSeconds(5)));
  }

  private static long value(Policies policies) {
    return policies.value(REQUESTS_PER_MINUTE, ID, ID);
  }

  private static Outcome set(Database database, Policies policies, long value) {
    return database.tx(tx -> policies.set(tx, ADMIN, ALL, value));
  }

  @Test
  void aChangeHoldsHereAtOnceAndElsewhereWhenItIsRead() {
    try (Database database = TestDatabase.open()) {
      Policies here = open(database);
      Policies elsewhere = open(database);
      for (long each : new long[] {7, 8, 7}) {
        assertThat(set(database, here, each)).isInstanceOf(Outcome.Set.class);
        assertThat(value(here)).isEqualTo(each);
        elsewhere.read();
        assertThat(value(elsewhere)).isEqualTo(each);
      }
      assertThat(value(open(database))).as("one that starts later").isEqualTo(7);
      boolean there = database.tx(tx -> elsewhere.remove(tx, ADMIN, ALL));
      assertThat(there).isTrue();
      assertThat(value(elsewhere)).isEqualTo(100);
      assertThat(value(here)).isEqualTo(7);
      here.read();
      assertThat(value(here)).isEqualTo(100);
    }
  }

  @Test
  void whatIsRolledBackNeverHolds() {
    try (Database database = TestDatabase.open()) {
      Policies policies = open(database);
      assertThatThrownBy(() ->
              database.run(tx -> {
                var _ = policies.set(tx, ADMIN, ALL, 7);
                throw new IllegalStateException("rolled back");
              }))
          .hasMessage("rolled back");
      policies.read();
      assertThat(value(policies)).isEqualTo(100);
    }
  }

  @Test
  void theLastKnownValuesHoldWhileTheDatabaseIsAway() {
    Policies policies;
    try (Database database = TestDatabase.open()) {
      policies = open(database);
      var _ = set(database, policies, 7);
    }
    assertThatThrownBy(policies::read).isInstanceOf(RuntimeException.class);
    assertThat(value(policies)).isEqualTo(7);
  }

  @Test
  void whatIsOutOfBoundsChangesNothingButTheTrail() {
    try (Database database = TestDatabase.open()) {
      Policies policies = open(database);
      for (long wrong : new long[] {0, REQUESTS_PER_MINUTE.highest() + 1}) {
        assertThat(set(database, policies, wrong))
            .isEqualTo(new Outcome.OutOfBounds(1, REQUESTS_PER_MINUTE.highest()));
      }
      assertThat(value(policies)).isEqualTo(100);
      var _ = set(database, policies, REQUESTS_PER_MINUTE.highest());
      List<String> actions = database.read(tx -> AuditStore.actions(tx, Slot.NOBODY));
      assertThat(actions)
          .containsExactly("policy.bound_violation", "policy.bound_violation", "policy.update");
    }
  }
}
