package gpuaas.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.db.Tx;
import gpuaas.web.Web.Port;
import gpuaas.web.Web.State;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is wanted and what is there, in the database. No lease is needed until the end of a
 * transaction.
 */
class WebStoreTest {

  private static final UUID LEASE = UUID.fromString("01900000-0000-7000-8000-0123456789ab");
  private static final String NAME = "lease-0123456789ab";
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @TempDir private Path folder;

  private final Database database = TestDatabase.open();
  private WebStore store;

  @BeforeEach
  void open() throws Exception {
    store = new WebStore(SecretBox.open(folder.resolve("key")));
  }

  @AfterEach
  void close() {
    database.close();
  }

  private static final class Undone extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private void within(Consumer<Tx> work) {
    assertThatThrownBy(() ->
            database.run(tx -> {
              store.ensure(tx, LEASE, NAME, () -> "secret", NOW);
              work.accept(tx);
              throw new Undone();
            }))
        .isInstanceOf(Undone.class);
  }

  private Web web(Tx tx) {
    return store.findByHostName(tx, NAME).orElseThrow();
  }

  @Test
  void theTokenIsMadeOnceAndNotThereToBeRead() {
    within(tx -> {
      store.ensure(tx, LEASE, NAME, () -> "another", NOW);
      assertThat(web(tx).token()).isEqualTo("secret");
      assertThat(web(tx).toString()).doesNotContain("secret");
      String kept = tx.query("select token from lease_web").mapTo(String.class).one();
      assertThat(kept).doesNotContain("secret");
    });
  }

  @Test
  void portsAreDeclaredAndWithdrawn() {
    within(tx -> {
      WebStore.putPort(tx, LEASE, new Port(8000, true));
      WebStore.putPort(tx, LEASE, new Port(6006, true));
      WebStore.putPort(tx, LEASE, new Port(6006, false));
      assertThat(web(tx).ports()).containsExactly(new Port(6006, false), new Port(8000, true));
      assertThat(WebStore.removePort(tx, LEASE, 8000)).isTrue();
      assertThat(WebStore.removePort(tx, LEASE, 8000)).isFalse();
      assertThat(web(tx).port(8000)).isEmpty();
      assertThat(web(tx).port(Web.JUPYTER_PORT)).isEmpty();
      WebStore.forget(tx, LEASE);
      assertThat(store.find(tx, LEASE)).isEmpty();
      assertThat(tx.query("select count(*) from lease_port").mapTo(Integer.class).one()).isZero();
    });
  }

  @Test
  void whatIsNotWantedAnyMoreEndsEvenIfItIsWantedAgainAtOnce() {
    within(tx -> {
      WebStore.want(tx, LEASE, true);
      assertThat(web(tx).jupyter().state()).isEqualTo(State.OFF);
      WebStore.became(tx, LEASE, State.ON, "", 0, NOW);
      assertThat(web(tx).jupyter().isOn()).isTrue();
      WebStore.want(tx, LEASE, true);
      assertThat(web(tx).jupyter().isOn()).as("asking again changes nothing").isTrue();
      WebStore.want(tx, LEASE, false);
      WebStore.want(tx, LEASE, true);
      assertThat(web(tx).jupyter().state()).isEqualTo(State.ENDING);
      WebStore.became(tx, LEASE, State.FAILED, "why", 7, NOW);
      assertThat(web(tx).jupyter().error()).isEqualTo("why");
      WebStore.want(tx, LEASE, true);
      assertThat(web(tx).jupyter().failures()).as("a new wish is tried at once").isZero();
      assertThat(web(tx).jupyter().state()).isEqualTo(State.OFF);
    });
  }

  @Test
  void pausesGrowToALimit() {
    WebRules rules = WebRules.standard();
    assertThat(rules.pause(1)).isEqualTo(Duration.ofSeconds(1));
    assertThat(rules.pause(2)).isEqualTo(Duration.ofSeconds(2));
    assertThat(rules.pause(5)).isEqualTo(Duration.ofSeconds(16));
    assertThat(rules.pause(1000)).isEqualTo(Duration.ofMinutes(1));
  }
}
