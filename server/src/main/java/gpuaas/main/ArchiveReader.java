package gpuaas.main;

import gpuaas.archive.ArchiveRules;
import java.nio.file.Path;

/** Reads the settings of what is kept of environments that are gone. */
final class ArchiveReader {

  private static final int MIB_BITS = 20;

  private ArchiveReader() {}

  static ArchiveRules read(SettingsReader reader, Path data) {
    Path folder =
        Path.of(reader.text("archive.folder", data.resolve("archives").toString()))
            .toAbsolutePath();
    ArchiveRules standard = ArchiveRules.standard(folder);
    return new ArchiveRules(
        folder,
        bytes(reader, "archive.mib-most", standard.bytesMost()),
        bytes(reader, "archive.free-mib-least", standard.freeBytesLeast()),
        reader.duration("archive.save-limit", standard.saveLimit()),
        reader.duration("archive.restore-limit", standard.restoreLimit()),
        reader.duration("archive.kept-for", standard.keptFor()),
        reader.integer("archive.kept-most", standard.keptMost(), 1, 1000));
  }

  private static long bytes(SettingsReader reader, String name, long fallback) {
    int mib = reader.integer(name, (int) (fallback >> MIB_BITS), 0, Integer.MAX_VALUE);
    return (long) mib << MIB_BITS;
  }
}
