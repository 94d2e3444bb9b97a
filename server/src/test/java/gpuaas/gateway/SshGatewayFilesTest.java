package gpuaas.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class SshGatewayFilesTest {

  @TempDir Path folder;
  private Lab lab;

  @BeforeEach
  void start() throws Exception {
    lab = new Lab(folder, settings -> settings);
  }

  @AfterEach
  void stop() {
    lab.close();
  }

  private static String remote(String path) {
    return Lab.LEASE + "@127.0.0.1:" + path;
  }

  private Path big() throws Exception {
    byte[] bytes = new byte[8_000_000];
    new Random(5).nextBytes(bytes);
    return Files.write(folder.resolve("big"), bytes);
  }

  @Test
  void scpBothWays() throws Exception {
    // Shows that scp works over sftp, and with -O over its old protocol, in both directions.
    Path big = big();
    for (List<String> how : List.of(List.<String>of(), List.of("-O"))) {
      String name = "copy" + how.size();
      List<String> there = lab.client("scp", big.toString(), remote(name));
      there.addAll(1, how);
      lab.run(new byte[0], there).fine();
      assertThat(Files.mismatch(lab.home.resolve(name), big)).isEqualTo(-1);
      List<String> back = lab.client("scp", remote(name), folder.resolve(name).toString());
      back.addAll(1, how);
      lab.run(new byte[0], back).fine();
      assertThat(Files.mismatch(folder.resolve(name), big)).isEqualTo(-1);
    }
  }

  @Test
  void sftpCommands() throws Exception {
    // Shows put, get, rename, symlink, listing and removal by the sftp client.
    Path big = big();
    String batch =
        "put %s one\nrename one two\nsymlink two three\nls -l\nget three %s/back\nmkdir d\nrm two\n"
            .formatted(big, folder);
    Lab.Ran ran = lab.run(batch.getBytes(UTF_8), lab.client("sftp", "-b", "-", remote("")));
    assertThat(ran.fine().text()).contains("two", "three");
    assertThat(Files.mismatch(folder.resolve("back"), big)).isEqualTo(-1);
    assertThat(lab.home.resolve("d")).isDirectory();
    assertThat(lab.home.resolve("two")).doesNotExist();
  }

  @Test
  void rsyncTwice() throws Exception {
    // Shows that rsync copies a tree, and finds nothing to do the second time.
    Path tree = Files.createDirectory(folder.resolve("tree"));
    for (int i = 0; i < 200; i++) {
      Files.writeString(tree.resolve("file" + i), "content " + i);
    }
    List<String> shell = new ArrayList<>(List.of("ssh"));
    shell.addAll(lab.options("key"));
    shell.addAll(List.of("-p", "" + lab.gateway.port()));
    List<String> rsync =
        List.of("rsync", "-ai", "-e", String.join(" ", shell), tree + "/", remote("tree/"));
    assertThat(lab.run(new byte[0], rsync).fine().text()).contains("file199");
    assertThat(lab.run(new byte[0], rsync).fine().text()).isEmpty();
    assertThat(lab.home.resolve("tree/file7")).hasContent("content 7");
  }
}
