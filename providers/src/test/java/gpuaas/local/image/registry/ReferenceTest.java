package gpuaas.local.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of images: what they mean in full, and what is none. */
class ReferenceTest {

  private static final String DIGEST = "sha256:" + "0123456789abcdef".repeat(4);

  @ParameterizedTest
  @CsvSource({
    "ubuntu, docker.io/library/ubuntu:latest",
    "ubuntu:22.04, docker.io/library/ubuntu:22.04",
    "pytorch/pytorch:2.8.0-cuda12.9-cudnn9-devel,"
        + " docker.io/pytorch/pytorch:2.8.0-cuda12.9-cudnn9-devel",
    "docker.io/ubuntu, docker.io/library/ubuntu:latest",
    "index.docker.io/library/ubuntu, docker.io/library/ubuntu:latest",
    "ghcr.io/a/b/c:x, ghcr.io/a/b/c:x",
    "localhost/x, localhost/x:latest",
    "localhost:5000/x, localhost:5000/x:latest",
    "127.0.0.1:5000/x_y/z--a.b:T_1, 127.0.0.1:5000/x_y/z--a.b:T_1",
    "GHCR.io/a, ghcr.io/a:latest",
    "team/image, docker.io/team/image:latest"
  })
  void aNameMeansWhatEverybodyKnows(String text, String inFull) {
    // The rules of Docker: its registry and its library are left out, and latest is the tag.
    assertThat(Reference.parse(text).text()).isEqualTo(inFull);
    assertThat(Reference.parse(inFull).text()).isEqualTo(inFull);
    assertThat(Reference.isText(inFull)).isTrue();
  }

  @Test
  void aDigestPins() {
    // With a digest, skopeo is asked for that and not for the tag.
    Reference reference = Reference.parse("ghcr.io/a/b:1@" + DIGEST);
    assertThat(reference.text()).isEqualTo("ghcr.io/a/b:1@" + DIGEST);
    assertThat(reference.address()).isEqualTo("docker://ghcr.io/a/b@" + DIGEST);
    assertThat(Reference.parse("x").address()).isEqualTo("docker://docker.io/library/x:latest");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "/etc",
        "../../etc",
        "a b",
        "None",
        "a/",
        "/a",
        "a//b",
        "a:",
        "a:b:c",
        "a@sha256:12",
        "a@md5:00",
        "-a",
        "--authfile=/etc/shadow",
        "a;rm -rf /",
        "$(id)",
        "a`id`",
        "a\nb",
        "a\u0000b",
        "a'b",
        "docker://a",
        "oci:/etc",
        "dir:/etc",
        "host.:5000/a",
        "-host.io/a",
        "host.io:0/a",
        "host.io:65536/a",
        "host.io:x/a",
        "user:password@host.io/a",
        "[::1]:5000/a",
        "a.b/../c",
        "host.io/A",
        "a:-tag"
      })
  void whatIsNoNameIsRefused(String text) {
    // Nothing that could be an option, a path, a shell's word or another transport gets through.
    assertThatThrownBy(() -> Reference.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aNameHasALimit() {
    // And it is checked quickly, however it is made.
    for (String text : new String[] {"a".repeat(513), "a-".repeat(256) + "!", "a/".repeat(200)}) {
      assertThatThrownBy(() -> Reference.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
  }
}
