package gpuaas.local.disk;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.local.LinksAreFine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is on a disk, as people are shown it. */
class DiskContentTest {

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  @Test
  void itIsATreeOfDepthThree() throws Exception {
    // As the document has it: usage and place, a line, and the tree.
    Files.createDirectories(folder.resolve("a/b/c/d"));
    Files.writeString(folder.resolve("a/b/c/e"), "");
    Files.writeString(folder.resolve("z"), "");
    assertThat(DiskContent.of(folder, 1536))
        .isEqualTo(
            """
            1.5K\t/home/dev
            ---
            /home/dev
            ├── a/
            │   └── b/
            │       └── c/
            └── z
            """);
  }

  @Test
  void namesAreATenantsAndLinksLeadNowhere() throws Exception {
    // A name cannot make lines of its own or steer a terminal, and no link is followed.
    Files.writeString(folder.resolve("two\nlines\u001b[2J\u202e"), "");
    Files.createSymbolicLink(folder.resolve("link"), Path.of("/etc"));
    List<String> lines = DiskContent.of(folder, 0).lines().toList();
    assertThat(lines).contains("├── link", "└── two?lines?[2J?").hasSize(5);
  }

  @Test
  void thereAreAThousandLinesAtMost() throws Exception {
    // What is left out is said, whether it is in one folder or in many.
    for (int i = 0; i < 1100; i++) {
      Files.createDirectories(folder.resolve("many/" + i + "/" + i));
    }
    assertThat(DiskContent.of(folder, 0).lines()).hasSize(1000).last().isEqualTo("…");
  }

  @Test
  void sizesAreSaidAsDuDoes() throws Exception {
    // One decimal below ten, none from there on.
    assertThat(DiskContent.of(folder, 0)).startsWith("0\t");
    assertThat(DiskContent.of(folder, 16 << 10)).startsWith("16K\t");
    assertThat(DiskContent.of(folder, 3L << 40)).startsWith("3.0T\t");
  }
}
