package gpuaas.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.identity.ApiKeys.Issued;
import gpuaas.spi.TestClock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** API keys on a real database: what they open, for how long, and what is kept of them. */
class ApiKeysTest {

  private static final TestClock CLOCK = new TestClock();
  private static Database database;
  private static ApiKeys keys;
  private static Identities identities;
  private static Caller maker;

  @BeforeAll
  static void open() {
    database = TestDatabase.open();
    Ids ids = Ids.timeOrdered(CLOCK);
    identities = new Identities(database, ids, CLOCK);
    identities.ensure("maker", "secret", false);
    identities.ensure("other", "secret", false);
    identities.ensure("admin", "secret", true);
    maker = identities.findByName("maker").orElseThrow().caller("test");
    keys =
        new ApiKeys(
            database,
            ids,
            CLOCK,
            new ApiKeys.ApiKeyRules(
                5, Duration.ofHours(1), Duration.ofMinutes(1), Duration.ofSeconds(1)),
            _ -> {});
  }

  @AfterAll
  static void close() {
    database.close();
  }

  private static Issued create(Caller caller, Scopes scopes, Optional<Instant> expiresAt) {
    return database.tx(tx -> keys.create(tx, caller, "a key", scopes, expiresAt));
  }

  private static void opensNothing(String secret) {
    assertThatThrownBy(() -> keys.caller(secret, "c"))
        .isInstanceOfSatisfying(
            Refused.class,
            no -> assertThat(no.refusal()).isInstanceOf(Refusal.Unauthenticated.class));
  }

  private static void revoke(Issued issued) {
    database.run(tx -> keys.revoke(tx, maker, issued.key().id()));
  }

  @Test
  void aKeyOpensAsItsMakerUntilItIsRevoked() {
    // Shows the form of the document, whom a key stands for, and that the database has a hash only.
    Issued issued = create(maker, Scopes.FULL_ACCESS, Optional.empty());
    assertThat(issued.secret()).matches("gpuai_live_[0-9A-Za-z]{24}");
    assertThat(issued.secret()).startsWith(issued.key().prefix());
    Caller caller = keys.caller(issued.secret(), "c");
    assertThat(caller.user()).isEqualTo(maker.user());
    assertThat(caller.project()).isEqualTo(maker.project());
    assertThat(caller.key().orElseThrow().id()).isEqualTo(issued.key().id());
    List<String> rows =
        database.read(
            tx -> tx.query("select api_key::text from api_key").mapTo(String.class).list());
    assertThat(rows).noneMatch(row -> row.contains(issued.secret().substring(15)));
    assertThat(keys.get(maker, issued.key().id()).lastUsedAt()).contains(CLOCK.instant());
    revoke(issued);
    opensNothing(issued.secret());
    opensNothing(issued.secret().substring(1));
    opensNothing("gpuai_live_" + "a".repeat(24));
  }

  @Test
  void itEndsAndItsOwnerMayBeLockedOut() {
    // Shows that an expired key, and one of a disabled person, open nothing.
    Issued brief = create(maker, Scopes.FULL_ACCESS, Optional.of(CLOCK.instant().plusSeconds(60)));
    assertThat(keys.caller(brief.secret(), "c").name()).isEqualTo("maker");
    CLOCK.advance(Duration.ofSeconds(60));
    opensNothing(brief.secret());
    Caller other = identities.findByName("other").orElseThrow().caller("test");
    Issued theirs = create(other, Scopes.FULL_ACCESS, Optional.empty());
    identities.enable("other", false);
    CLOCK.advance(Duration.ofSeconds(1)); // so long it may be taken for valid
    opensNothing(theirs.secret());
    identities.enable("other", true);
    CLOCK.advance(Duration.ofSeconds(1));
    assertThat(keys.caller(theirs.secret(), "c").name()).isEqualTo("other");
  }

  @Test
  void rotationLeavesTheOldOneOpenForAWhile() {
    Issued old = create(maker, new Scopes(List.of("read_only")), Optional.empty());
    Issued fresh = database.tx(tx -> keys.rotate(tx, maker, old.key().id()));
    assertThat(fresh.key().scopes()).isEqualTo(old.key().scopes());
    assertThat(keys.caller(fresh.secret(), "c").key().orElseThrow().actions())
        .isEqualTo(keys.caller(old.secret(), "c").key().orElseThrow().actions());
    CLOCK.advance(Duration.ofHours(1));
    opensNothing(old.secret());
    assertThat(keys.caller(fresh.secret(), "c").name()).isEqualTo("maker");
    revoke(fresh);
  }

  @Test
  void scopesNarrowWhatTheOwnerMayDo() {
    // Shows each word of the documentation, and that a key of an administrator stays in its
    // project.
    assertThat(allowed("instances:read"))
        .containsOnly(Action.LEASE_READ, Action.EVENT_READ, Action.DISK_READ);
    assertThat(allowed("instances:write"))
        .contains(Action.LEASE_READ, Action.LEASE_CREATE, Action.LEASE_STOP)
        .doesNotContain(Action.BILLING_READ, Action.SSH_KEY_READ);
    assertThat(allowed("billing:none")).isEmpty();
    assertThat(allowed("webhooks:write")).containsOnly(Action.WEBHOOK_READ, Action.WEBHOOK_WRITE);
    assertThat(allowed("read_only")).doesNotContain(Action.LEASE_CREATE, Action.WEBHOOK_WRITE);
    assertThat(allowed("full_access")).doesNotContain(Action.API_KEY_WRITE);
    assertThat(Scopes.parse(List.of("instances"))).isEmpty();
    assertThat(Scopes.parse(List.of("full_access", "money:read"))).isEmpty();
    assertThat(Scopes.parse(List.of())).isEmpty();
    Caller admin = identities.findByName("admin").orElseThrow().caller("test");
    Issued all = create(admin, Scopes.FULL_ACCESS, Optional.empty());
    assertThat(admin.sees(maker.project())).isTrue();
    assertThat(keys.caller(all.secret(), "c").sees(maker.project())).isFalse();
  }

  private static List<Action> allowed(String word) {
    return Scopes.parse(List.of(word)).orElseThrow().actions().stream()
        .filter(action -> action != Action.CATALOG_READ && action != Action.SELF_READ)
        .toList();
  }

  @Test
  void othersKeysAreNotThere() {
    Issued mine = create(maker, Scopes.FULL_ACCESS, Optional.empty());
    Caller other = identities.findByName("other").orElseThrow().caller("test");
    UUID id = mine.key().id();
    assertThatThrownBy(() -> keys.get(other, id)).isInstanceOf(Refused.class);
    assertThatThrownBy(() -> database.run(tx -> keys.revoke(tx, other, id)))
        .isInstanceOf(Refused.class);
    assertThat(keys.list(other, Optional.empty(), 50).items())
        .noneMatch(key -> key.id().equals(id));
    revoke(mine);
  }
}
