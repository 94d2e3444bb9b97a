package gpuaas.policy;

import static gpuaas.policy.PolicyDefinition.REQUESTS_PER_MINUTE;
import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.policy.PolicyBook.Place;
import gpuaas.policy.PolicyValue.Author;
import gpuaas.policy.PolicyValue.Scope;
import gpuaas.policy.PolicyValue.Slot;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PolicyBookTest {

  private static final UUID TENANT = new UUID(1, 1);
  private static final UUID PROJECT = new UUID(2, 2);
  private static final Place HERE = new Place(Optional.of(TENANT), Optional.of(PROJECT));
  private static final Place BESIDE = new Place(Optional.of(TENANT), Optional.of(new UUID(2, 3)));
  private static final Place ELSEWHERE =
      new Place(Optional.of(new UUID(1, 2)), Optional.of(new UUID(2, 4)));

  private static PolicyValue global(long value) {
    return value(Scope.GLOBAL, Slot.NOBODY, Author.PLATFORM, value);
  }

  private static PolicyValue tenant(Author author, long value) {
    return value(Scope.TENANT, TENANT, author, value);
  }

  private static PolicyValue project(Author author, long value) {
    return value(Scope.PROJECT, PROJECT, author, value);
  }

  private static PolicyValue value(Scope scope, UUID owner, Author author, long value) {
    return new PolicyValue(
        new Slot(REQUESTS_PER_MINUTE, scope, owner, author),
        value,
        new UUID(3, 3),
        Instant.EPOCH,
        1);
  }

  private static PolicyBook book(PolicyValue... values) {
    return new PolicyBook(Map.of(REQUESTS_PER_MINUTE, 100L), List.of(values));
  }

  private static long at(PolicyBook book, Place place) {
    return book.holds(REQUESTS_PER_MINUTE, place).value();
  }

  @Test
  void whereNobodySetAnythingTheDefaultHolds() {
    Holding holding = book().holds(REQUESTS_PER_MINUTE, HERE);
    assertThat(holding).isEqualTo(new Holding(REQUESTS_PER_MINUTE, 100, 100, Optional.empty()));
    assertThat(book().holds(PolicyDefinition.MUTATIONS_PER_MINUTE, HERE).value())
        .as("without a setting the table's")
        .isEqualTo(PolicyDefinition.MUTATIONS_PER_MINUTE.standard());
  }

  @Test
  void theNarrowestThatThePlatformSetHoldsAlsoIfItIsMore() {
    PolicyBook all = book(global(50), tenant(Author.PLATFORM, 200), project(Author.PLATFORM, 300));
    assertThat(at(all, HERE)).isEqualTo(300);
    assertThat(at(all, BESIDE)).isEqualTo(200);
    assertThat(at(all, ELSEWHERE)).isEqualTo(50);
    assertThat(at(all, Place.EVERYWHERE)).isEqualTo(50);
    assertThat(all.holds(REQUESTS_PER_MINUTE, HERE).from().map(Slot::scope))
        .contains(Scope.PROJECT);
  }

  @Test
  void aTenantTakesLessOfWhatItIsAllowedAndNeverMore() {
    PolicyBook less = book(global(50), tenant(Author.TENANT, 20));
    assertThat(less.holds(REQUESTS_PER_MINUTE, HERE))
        .isEqualTo(
            new Holding(
                REQUESTS_PER_MINUTE, 20, 50, Optional.of(tenant(Author.TENANT, 20).slot())));
    assertThat(at(less, ELSEWHERE)).isEqualTo(50);
    PolicyBook more = book(global(50), tenant(Author.TENANT, 70));
    assertThat(more.holds(REQUESTS_PER_MINUTE, HERE))
        .as("set when it was allowed more")
        .isEqualTo(new Holding(REQUESTS_PER_MINUTE, 50, 50, Optional.of(global(50).slot())));
  }

  @Test
  void ofWhatATenantSetTheNarrowestHolds() {
    PolicyBook own = book(tenant(Author.TENANT, 20), project(Author.TENANT, 30));
    assertThat(at(own, HERE)).isEqualTo(30);
    assertThat(at(own, BESIDE)).isEqualTo(20);
    PolicyBook both = book(project(Author.PLATFORM, 10), tenant(Author.TENANT, 20));
    assertThat(at(both, HERE)).isEqualTo(10);
    assertThat(at(both, BESIDE)).isEqualTo(20);
  }

  @Test
  void theTableIsSensible() {
    assertThat(PolicyDefinition.values())
        .allSatisfy(definition -> {
          assertThat(definition.standard()).isBetween(definition.lowest(), definition.highest());
          assertThat(PolicyDefinition.of(definition.key())).contains(definition);
          assertThat(definition.meaning()).isNotBlank();
        });
    assertThat(Arrays.stream(PolicyDefinition.values()).map(PolicyDefinition::key))
        .doesNotHaveDuplicates()
        .contains("rate_limit.terminal_token_requests_per_minute");
    assertThat(PolicyDefinition.TERMINAL_TOKEN_REQUESTS_PER_MINUTE.standard())
        .as("fixed by the document")
        .isEqualTo(10);
  }
}
