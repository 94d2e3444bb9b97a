package gpuaas.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.local.image.ImageBuilder;
import gpuaas.local.image.ImageBuilder.Form;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Images by name, made of a few of the host's own programs. */
class LocalImageTest {

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  @ParameterizedTest
  @EnumSource(Form.class)
  void anEnvironmentStartsFromAnImageAndKeepsItClean(Form form) throws Exception {
    // Root inside owns the image's files, changes are its own, and the image stays as it was.
    Path images = folder.resolve("images");
    new ImageBuilder(images, _ -> {}).importFolder("tiny", tinyRoot(), form);
    Map<String, String> settings = Map.of("driver", "runc", "image-folder", images.toString());
    try (LocalProvider provider = Inside.open(folder.resolve("data"), settings)) {
      InstanceRef first = provider.create(request(provider, 1));
      assertThat(Inside.run(provider, first, "cat /word").output()).isEqualTo("from the image\n");
      assertThat(Inside.run(provider, first, "stat -c %u:%g:%a /setuid").output())
          .isEqualTo("0:0:4755\n");
      assertThat(Inside.run(provider, first, "echo changed > /word; cat /word").output())
          .isEqualTo("changed\n");

      InstanceRef second = provider.create(request(provider, 2));
      assertThat(Inside.run(provider, second, "cat /word").output()).isEqualTo("from the image\n");
      Inside.destroyAll(provider);
    }
    assertThat(Files.readString(Path.of("/proc/self/mounts"))).doesNotContain("/images/tiny");
  }

  @Test
  void anImageThatWasNotBuiltForEnvironmentsIsRefused() throws Exception {
    // Files of the host's root in an image would be nobody's inside; the message says what to do.
    Path images = Files.createDirectories(folder.resolve("images"));
    Files.createDirectories(images.resolve("raw/usr"));
    Map<String, String> settings = Map.of("driver", "runc", "image-folder", images.toString());
    try (LocalProvider provider = Inside.open(folder.resolve("data"), settings)) {
      assertThatThrownBy(() -> provider.create(request(provider, 1, "raw")))
          .hasMessageContaining("images build raw");
    }
    assertThatThrownBy(
            () -> new ImageBuilder(images, _ -> {}).importFolder("../x", folder, Form.FOLDER))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static InstanceRequest request(LocalProvider provider, int number) {
    return request(provider, number, "tiny");
  }

  private static InstanceRequest request(LocalProvider provider, int number, String image) {
    InstanceRequest host = Inside.request(provider, number, List.of());
    return new InstanceRequest(
        host.tag(), host.offer(), "", List.of(), image, List.of(), Map.of(), host.hostName());
  }

  /** A root folder with a shell, three tools, and the libraries that they need. */
  private Path tinyRoot() throws IOException {
    Path root = folder.resolve("tiny-root");
    for (String sub : List.of("usr/bin", "etc", "root", "tmp")) {
      Files.createDirectories(root.resolve(sub));
    }
    for (String program : List.of("sh", "sleep", "cat", "stat")) {
      copyProgram(program, root);
    }
    for (String link : List.of("bin", "lib", "lib64")) {
      if (Files.notExists(root.resolve(link))) {
        Files.createSymbolicLink(root.resolve(link), Path.of("usr", link));
      }
    }
    Files.writeString(root.resolve("word"), "from the image\n");
    Path setUserId = Files.writeString(root.resolve("setuid"), "");
    Files.setPosixFilePermissions(setUserId, PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.setAttribute(setUserId, "unix:mode", 0104755);
    return root;
  }

  /** Copies a program with the libraries that it needs. */
  static void copyProgram(String program, Path root) throws IOException {
    copy(Path.of("/usr/bin", program), root);
    Process libraries = new ProcessBuilder("ldd", "/usr/bin/" + program).start();
    for (String word : new String(libraries.getInputStream().readAllBytes(), UTF_8).split("\\s+")) {
      if (word.startsWith("/")) {
        copy(Path.of(word), root);
      }
    }
  }

  private static void copy(Path file, Path root) throws IOException {
    String inUsr = file.startsWith("/usr") ? file.toString() : "/usr" + file;
    Path target = root.resolve(inUsr.substring(1));
    Files.createDirectories(target.getParent());
    if (Files.notExists(target)) {
      Files.copy(file.toRealPath(), target);
    }
  }
}
