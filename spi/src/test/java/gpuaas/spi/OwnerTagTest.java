package gpuaas.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OwnerTagTest {

  private static final UUID LEASE = UUID.fromString("0190a1b2-0000-7000-8000-000000000001");

  @Test
  void isReadBackAsWritten() {
    OwnerTag tag = new OwnerTag("prod-1", LEASE, 3);
    assertThat(OwnerTag.parse(tag.text())).contains(tag);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "my laptop",
        "prod-1/0190a1b2-0000-7000-8000-000000000001",
        "prod-1/0190a1b2-0000-7000-8000-000000000001/",
        "prod-1/0190a1b2-0000-7000-8000-000000000001/-1",
        "prod-1/0190A1B2-0000-7000-8000-000000000001/1",
        "prod-1/0190a1b2-0000-7000-8000-000000000001/12345678",
        "Prod/0190a1b2-0000-7000-8000-000000000001/1",
        "prod-1/0190a1b2-0000-7000-8000-000000000001/1\n",
      })
  void foreignLabelsAreNotOurs(String label) {
    assertThat(OwnerTag.parse(label)).isEmpty();
  }

  @Test
  void deploymentIdIsChecked() {
    assertThatThrownBy(() -> new OwnerTag("a/b", LEASE, 1)).hasMessageContaining("lower-case");
  }
}
