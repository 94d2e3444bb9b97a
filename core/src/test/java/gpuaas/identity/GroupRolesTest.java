package gpuaas.identity;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.base.Ids;
import gpuaas.base.Role;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.spi.TestClock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What groups of another provider are here. */
class GroupRolesTest {

  private static final UUID TENANT = new UUID(1, 2);

  private static GroupRoles parsed(String text) {
    return GroupRoles.parse(text).orElseThrow();
  }

  @Test
  void theHighestOfSeveralCounts() {
    GroupRoles roles = parsed("a=" + TENANT + ":member, b=" + TENANT + ":admin,ops=platform-admin");
    assertThat(roles.of(List.of("a", "b", "c")))
        .isEqualTo(
            new GroupRoles.Given(Optional.of(false), Map.of(TENANT, Optional.of(Role.ADMIN))));
    assertThat(roles.of(List.of("ops")).admin()).contains(true);
    assertThat(roles.of(List.of()).tenants()).containsEntry(TENANT, Optional.empty());
    assertThat(parsed("").of(List.of("ops")).admin()).as("no rule, no word").isEmpty();
  }

  @Test
  void whatIsNoRuleIsRefused() {
    for (String bad : List.of("ops", "ops=", "=platform-admin", "a=b:member", "a=" + TENANT)) {
      assertThat(GroupRoles.parse(bad)).as(bad).isEmpty();
    }
    assertThat(GroupRoles.parse("a=" + TENANT + ":king")).isEmpty();
  }

  @Test
  void whoeverLeavesAGroupLosesItsRole() {
    // And people are told apart by subject: the same name twice is two people.
    TestClock clock = new TestClock();
    try (Database database = TestDatabase.open()) {
      Identities identities = new Identities(database, Ids.timeOrdered(clock), clock);
      identities.ensure("boss", "a long password", true);
      Person boss = identities.findByName("boss").orElseThrow();
      GroupRoles roles = parsed("ops=platform-admin,research=" + boss.tenant() + ":member");
      String issuer = "https://issuer.example";
      Person in =
          identities
              .enter(issuer, "s1", "boss", roles.of(List.of("ops", "research")))
              .orElseThrow();
      assertThat(in.id()).isNotEqualTo(boss.id());
      assertThat(identities.find(in.id()).orElseThrow().admin()).isTrue();
      assertThat(inTenant(identities, in, boss)).contains(Role.MEMBER);

      identities.enter(issuer, "s1", "another name", roles.of(List.of()));
      assertThat(identities.find(in.id()).orElseThrow().admin()).isFalse();
      assertThat(inTenant(identities, in, boss)).isEmpty();
      assertThat(inTenant(identities, boss, boss)).contains(Role.OWNER);

      Person second = identities.enter(issuer, "s2", "boss", roles.of(List.of())).orElseThrow();
      assertThat(second.id()).isNotEqualTo(in.id());
      assertThat(second.username()).isEqualTo("boss-2");
    }
  }

  private static Optional<Role> inTenant(Identities identities, Person who, Person where) {
    return identities
        .find(who.id(), where.defaultProject())
        .flatMap(person -> person.standing().inTenant());
  }
}
