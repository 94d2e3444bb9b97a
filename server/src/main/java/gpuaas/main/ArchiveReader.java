package gpuaas.main;

import gpuaas.archive.ArchiveRules;
import gpuaas.command.CommandRules;
import gpuaas.disk.DiskRules;
import java.nio.file.Path;

/** Reads the settings of what outlives environments: archives, disks, output of commands. */
final class ArchiveReader {

  private static final int MIB_BITS = 20;
  private static final int GIB_BITS = 30;

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

  static DiskRules disks(SettingsReader reader) {
    DiskRules standard = DiskRules.standard();
    return new DiskRules(
        reader.integer("disk.most-per-project", standard.disksMost(), 0, 1000),
        gib(reader, "disk.gib-most-per-project", standard.bytesMost()),
        gib(reader, "disk.gib", standard.sizeBytes()),
        reader.integer("disk.snapshots-most", standard.snapshotsMost(), 1, 500),
        reader.duration("disk.kept-for", standard.keptFor()),
        reader.duration("disk.retry-after", standard.retryAfter()),
        reader.duration("disk.look-every", standard.lookEvery()),
        reader.integers("disk.warn-percents", standard.warnPercents(), 1, 100),
        reader.integer("disk.pool-full-percent", standard.poolFullPercent(), 1, 100));
  }

  static CommandRules commands(SettingsReader reader) {
    CommandRules standard = CommandRules.standard();
    return new CommandRules(
        reader.duration("command.look-every", standard.lookEvery()),
        reader.duration("command.look-least", standard.lookLeast()),
        bytes(reader, "command.output-mib-most", standard.outputBytesMost()),
        standard.partBytesMost(),
        reader.duration("command.call-limit", standard.callLimit()),
        reader.duration("command.drain-limit", standard.drainLimit()),
        reader.duration("command.kept-for", standard.keptFor()));
  }

  private static long gib(SettingsReader reader, String name, long fallback) {
    return (long) reader.integer(name, (int) (fallback >> GIB_BITS), 1, 1_000_000) << GIB_BITS;
  }

  private static long bytes(SettingsReader reader, String name, long fallback) {
    int mib = reader.integer(name, (int) (fallback >> MIB_BITS), 0, Integer.MAX_VALUE);
    return (long) mib << MIB_BITS;
  }
}
