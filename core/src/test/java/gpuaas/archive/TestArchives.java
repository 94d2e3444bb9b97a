package gpuaas.archive;

import gpuaas.base.Ids;
import gpuaas.provider.Providers;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;

/** For tests in which nothing is to be kept: whoever asks for files fails. */
public final class TestArchives {

  private TestArchives() {}

  /** Keeps nothing, and needs no database. */
  public static Archives none() {
    Ids ids = () -> new UUID(0, 0);
    return new Archives(
        null,
        new Providers(Map.of()),
        ids,
        () -> Instant.EPOCH,
        ArchiveRules.standard(Path.of("/nonexistent")));
  }
}
