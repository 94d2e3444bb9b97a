package gpuaas.idp;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.spi.TestClock;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys that tokens are signed with, on two servers over one database. */
class SigningKeysTest {

  private static final Duration AGE = Duration.ofDays(90);
  private static final Duration OUTLIVE = Duration.ofDays(1);

  @Test
  void anotherSignsWhenTheFirstIsOldAndTheFirstIsKnownForAWhile(@TempDir Path folder)
      throws Exception {
    TestClock clock = new TestClock();
    try (Database database = TestDatabase.open()) {
      SecretBox secrets = SecretBox.open(folder.resolve("secret.key"));
      SigningKeys here = SigningKeys.open(database, secrets, clock, AGE, OUTLIVE);
      SigningKeys there = SigningKeys.open(database, secrets, clock, AGE, OUTLIVE);
      String first = here.key().getKeyID();
      assertThat(there.key().getKeyID()).isEqualTo(first);
      clock.advance(AGE.minusSeconds(1));
      here.recheck();
      assertThat(here.key().getKeyID()).isEqualTo(first);

      clock.advance(Duration.ofSeconds(1));
      here.recheck();
      there.recheck();
      String second = here.key().getKeyID();
      assertThat(second).isNotEqualTo(first);
      assertThat(there.key().getKeyID()).as("one of them made it").isEqualTo(second);
      assertThat(there.publicKeys().getKeyByKeyId(first)).isNotNull();
      assertThat(there.publicKeys().toString()).doesNotContain("\"d\"");

      clock.advance(OUTLIVE.plusSeconds(1));
      here.recheck();
      assertThat(here.publicKeys().getKeyByKeyId(first)).isNull();
      assertThat(here.publicKeys().getKeyByKeyId(second)).isNotNull();
    }
  }
}
