package gpuaas.db;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** A database of another version is told from none, in words that say what to do. */
class DatabaseVersionTest {

  @Test
  void oneThatMissesAStepInTheMiddleIsLeftAlone() {
    DatabaseSettings settings = TestDatabase.settings();
    try (Database database = Database.open(settings)) {
      database.run(
          tx -> tx.update("delete from flyway_schema_history where version = '0020'").execute());
    }
    assertThatThrownBy(() -> Database.open(settings).close())
        .isInstanceOf(DatabaseUnfit.class)
        .hasMessageContaining("made by another version of this program")
        .hasMessageContaining("0020")
        .hasMessageNotContaining("http");
  }
}
