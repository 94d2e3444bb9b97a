package gpuaas.local.disk;

import gpuaas.local.EnvironmentFolder;
import gpuaas.local.linux.Command;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Volumes as plain folders: copies are copies, and nothing is held to its size. */
record PlainVolumes() implements Volumes {

  private static final long MEASURE_SECONDS = 300;

  @Override
  public void make(Path volume) throws IOException {
    Files.createDirectory(volume);
  }

  @Override
  public void copy(Path from, Path to, boolean forKeeping) throws IOException {
    Files.createDirectory(to);
    TreeCopy.all(from, to);
  }

  @Override
  public void remove(Path volume) throws IOException {
    EnvironmentFolder.deleteTree(volume);
  }

  @Override
  public void limit(Path volume, long bytes) {
    // Nothing here can hold it; enforced() says so.
  }

  @Override
  public Map<Path, Usage> usage(List<Path> volumes) throws IOException {
    Map<Path, Usage> usage = new HashMap<>();
    for (Path volume : volumes) {
      if (Files.isDirectory(volume)) {
        usage.put(volume, usageNow(volume));
      }
    }
    return usage;
  }

  @Override
  public Usage usageNow(Path volume) throws IOException {
    List<String> measure = List.of("du", "-s", "-x", "--block-size=1", "--", volume.toString());
    // Files that go meanwhile make it fail, but the sum comes last all the same.
    String said = Command.run(MEASURE_SECONDS, measure).output().strip();
    String sum = said.substring(said.lastIndexOf('\n') + 1).replaceAll("\t.*", "");
    if (!sum.matches("[0-9]{1,18}")) {
      throw new IOException("what is in " + volume + " could not be measured");
    }
    long bytes = Long.parseLong(sum);
    return new Usage(bytes, OptionalLong.of(bytes));
  }

  @Override
  public boolean counts() {
    return false;
  }

  @Override
  public boolean enforced() {
    return false;
  }
}
