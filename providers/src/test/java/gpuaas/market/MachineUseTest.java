package gpuaas.market;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.spi.HasUtilization.Utilization;
import gpuaas.spi.ProviderException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a machine says of its use, understood; and what it does not say, not made up. */
class MachineUseTest {

  @TempDir private Path folder;

  @Test
  void aContainerKnowsItsOwnTime() {
    // The newer kind of control groups first; not more processors than its quota; the busiest GPU.
    assertThat(
            MachineUse.parse(
                "usec 2500000\nticks 99 100\nquota 150000 100000\ncpus 64\ngpu 3\ngpu 97\n"))
        .isEqualTo(new Utilization(Optional.of(Duration.ofMillis(2500)), 1500, Optional.of(97)));
    assertThat(MachineUse.parse("nsec 1000000000\nquota -1 100000\ncpus 8\ngpu 0\n"))
        .isEqualTo(new Utilization(Optional.of(Duration.ofSeconds(1)), 8000, Optional.of(0)));
    assertThat(MachineUse.parse("quota max 100000\nticks 250 100\ncpus 2\n"))
        .isEqualTo(new Utilization(Optional.of(Duration.ofMillis(2500)), 2000, Optional.empty()));
  }

  @Test
  void whatIsNotSaidIsNotNothing() {
    // No GPU that could be asked, and no time that was counted, are unknown.
    Utilization unknown = MachineUse.parse("cpus 4\ngpu [N/A]\nticks 5 0\n");
    assertThat(unknown.processorTime()).isEmpty();
    assertThat(unknown.gpuPercent()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "cpus\n", "cpus 0", "cpus 99999999999", "Welcome!\n", "cpus -4"})
  void nonsenseIsNoAnswer(String text) {
    // Whatever else comes from a stranger's machine is as if it had not answered.
    assertThatThrownBy(() -> MachineUse.parse(text))
        .isInstanceOf(ProviderException.Unavailable.class);
  }

  private String run(String script) throws IOException {
    ProcessBuilder builder = new ProcessBuilder("setsid", "sh", "-c", script + "\nexit 0");
    builder.environment().put("HOME", folder.toString());
    Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  @Test
  void theScriptsSayWhatThisMachineDoes() throws IOException {
    // Run by a plain shell, on whatever this is: time was used here; nobody else has that home.
    Utilization here = MachineUse.parse(run(MachineUse.SCRIPT));
    assertThat(here.processorTime().orElseThrow()).isPositive();
    assertThat(here.milliCpus()).isPositive();
    Utilization simulated = MachineUse.parse(run(MachineUse.SIMULATED));
    assertThat(simulated.processorTime()).contains(Duration.ZERO);
    assertThat(simulated.gpuPercent()).contains(0);
  }
}
