package gpuaas.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script that starts and ends Jupyter, in a real shell, with stand-ins for Jupyter. */
class JupyterScriptTest {

  @TempDir private Path folder;

  private Path programs;

  @BeforeEach
  void prepare() throws Exception {
    programs = Files.createDirectories(folder.resolve("programs"));
    for (String name :
        List.of("sh", "cat", "tr", "grep", "mkdir", "rm", "tail", "sleep", "setsid", "kill")) {
      Path real = Path.of("/usr/bin", name);
      if (Files.exists(real)) {
        Files.createSymbolicLink(programs.resolve(name), real);
      }
    }
  }

  private record Said(int code, String text) {}

  private Said run(String task) throws Exception {
    ProcessBuilder shell = new ProcessBuilder("/bin/sh", "-s").redirectErrorStream(true);
    shell.environment().clear();
    shell.environment().put("PATH", programs.toString());
    shell.environment().put("HOME", folder.toString());
    shell.environment().put("TMPDIR", folder.toString());
    Process process = shell.start();
    try (InputStream script = WebReconciler.class.getResourceAsStream("jupyter.sh");
        var to = process.getOutputStream()) {
      script.transferTo(to);
      to.write((task + "\n").getBytes(StandardCharsets.UTF_8));
    }
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    return new Said(process.exitValue(), text);
  }

  private void standIn(String body) throws Exception {
    Path program = Files.writeString(programs.resolve("jupyter-lab"), "#!/bin/sh\n" + body + "\n");
    assertThat(program.toFile().setExecutable(true)).isTrue();
  }

  private String number() throws Exception {
    return Files.readString(folder.resolve("gpuaas-jupyter/number")).strip();
  }

  @Test
  void whereItIsNotInstalledItSaysHowToInstallIt() throws Exception {
    Said said = run("begin token /lease-0123456789ab/8888/ 8888");
    assertThat(said.code()).isEqualTo(3);
    assertThat(said.text()).contains("not installed", "pip install jupyterlab");
  }

  @Test
  void aSecondStartIsHarmlessAndSoIsASecondEnd() throws Exception {
    standIn("while :; do sleep 1; done");
    assertThat(run("begin secret /lease-0123456789ab/8888/ 8888").code()).isZero();
    String first = number();
    assertThat(run("begin secret /lease-0123456789ab/8888/ 8888").code()).isZero();
    assertThat(number()).as("it is the same one").isEqualTo(first);
    assertThat(run("look").code()).isZero();
    Path config = folder.resolve("gpuaas-jupyter/config.py");
    assertThat(Files.readString(config))
        .contains("app.token = \"secret\"", "app.base_url = \"/lease-0123456789ab/8888/\"");
    assertThat(Files.getPosixFilePermissions(config)).hasSize(2);
    assertThat(run("end").code()).isZero();
    assertThat(run("look").code()).isEqualTo(1);
    assertThat(Path.of("/proc", first, "cmdline"))
        .satisfiesAnyOf(
            gone -> assertThat(gone).doesNotExist(), ended -> assertThat(ended).isEmptyFile());
    assertThat(run("end").code()).isZero();
  }

  @Test
  void whatItSaidBeforeItDiedIsTold() throws Exception {
    standIn("echo cannot do it; exit 1");
    assertThat(run("begin token / 8888").code()).isZero();
    Said said = run("look");
    assertThat(said.code()).isEqualTo(1);
    assertThat(said.text()).contains("cannot do it");
  }

  @Test
  void aNumberThatIsAnotherProgramsNowIsLeftAlone() throws Exception {
    standIn("exit 0");
    assertThat(run("begin token / 8888").code()).isZero();
    Process other = new ProcessBuilder("sleep", "60").start();
    try {
      Files.writeString(folder.resolve("gpuaas-jupyter/number"), other.pid() + "\n");
      assertThat(run("look").code()).isEqualTo(1);
      assertThat(run("end").code()).isZero();
      assertThat(other.isAlive()).isTrue();
    } finally {
      other.destroyForcibly();
    }
  }
}
