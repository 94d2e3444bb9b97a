package gpuaas.gpudev;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.http.Halt;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a job says of its gang: by variables, or by the name that the original's clients give it.
 */
class JobGangsTest {

  private static Optional<JobGangs.Told> byName(String name) {
    return JobGangs.told(Map.of(), Optional.of(name));
  }

  @Test
  void theNameSaysWhichNodeItIs() {
    JobGangs.Told told = byName("16x H100 multinode - Node 2/2").orElseThrow();
    assertThat(told.label()).isEqualTo("16x H100 multinode");
    assertThat(told.index()).isEqualTo(1);
    assertThat(told.size()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "train",
        "train - Node 3/2",
        "train - Node 0/2",
        "train - Node 1/1",
        "train - Node x/2",
        " - Node 1/2x",
        "train - Node 1/99999"
      })
  void otherNamesSayNothing(String name) {
    assertThat(byName(name)).isEmpty();
  }

  @Test
  void variablesComeFirst() {
    JobGangs.Told told =
        JobGangs.told(
                Map.of("GANG_ID", "train", "GANG_INDEX", "0", "GANG_SIZE", "4"),
                Optional.of("other - Node 2/2"))
            .orElseThrow();
    assertThat(told.label()).isEqualTo("train");
    assertThat(told.index()).isZero();
    assertThat(told.size()).isEqualTo(4);
  }

  @Test
  void halfOfItIsRefused() {
    for (Map<String, String> variables :
        java.util.List.of(
            Map.of("GANG_ID", "train"),
            Map.of("GANG_SIZE", "2"),
            Map.of("GANG_ID", "train", "GANG_INDEX", "2", "GANG_SIZE", "2"),
            Map.of("GANG_ID", "train", "GANG_INDEX", "-1", "GANG_SIZE", "2"),
            Map.of("GANG_ID", "a/b", "GANG_INDEX", "0", "GANG_SIZE", "2"))) {
      assertThatThrownBy(() -> JobGangs.told(variables, Optional.empty()))
          .as("%s", variables)
          .isInstanceOf(Halt.class);
    }
  }
}
