package gpuaas;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What can be seen from the sources alone: sizes, leftovers, and words that are not ours to use.
 */
class TidyTest {

  private static final int LINES_MOST = 400;
  private static final int FILES_MOST = 25;
  private static final Path ROOT = root();

  private static Path root() {
    Path here = Path.of("").toAbsolutePath();
    return Files.exists(here.resolve("spi")) ? here : here.getParent();
  }

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    for (String module : List.of("spi", "providers", "core", "server")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src"))) {
        files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
      }
    }
    assertThat(sources).hasSizeGreaterThan(100);
    return sources;
  }

  @Test
  void aFileIsReadInOneSitting() throws IOException {
    for (Path file : sources()) {
      assertThat(Files.readAllLines(file).size())
          .as("%s: split it by what it does", ROOT.relativize(file))
          .isLessThanOrEqualTo(LINES_MOST);
    }
  }

  @Test
  void aPackageIsOneNoun() throws IOException {
    Map<Path, Integer> counts = new TreeMap<>();
    for (Path file : sources()) {
      counts.merge(file.getParent(), 1, Integer::sum);
    }
    assertThat(counts)
        .allSatisfy((folder, count) ->
            assertThat(count).as("%s has too many files", folder).isLessThanOrEqualTo(FILES_MOST));
  }

  @Test
  void everyPackageSaysWhatItIs() throws IOException {
    for (Path file : sources()) {
      if (file.toString().contains("/src/main/")) {
        assertThat(file.resolveSibling("package-info.java"))
            .as("what is this package, what does it promise, where to start?")
            .exists();
      }
    }
  }

  @Test
  void nothingIsLeftLyingAbout() throws IOException {
    List<String> banned =
        List.of(
            "TO" + "DO",
            "FIX" + "ME",
            "XX" + "X",
            "Thread" + ".sleep",
            "@Dis" + "abled",
            "assume" + "True(",
            "\t");
    for (Path file : sources()) {
      String text = Files.readString(file);
      assertThat(banned).as("%s", ROOT.relativize(file)).noneMatch(text::contains);
    }
  }
}
