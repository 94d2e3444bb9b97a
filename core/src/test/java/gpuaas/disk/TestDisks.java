package gpuaas.disk;

import gpuaas.provider.Providers;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;

/** For tests in which there are no disks: whoever asks for one fails. */
public final class TestDisks {

  private TestDisks() {}

  /** Knows no disk, and needs no database. */
  public static Disks none() {
    return new Disks(
        null,
        new Providers(Map.of()),
        () -> new UUID(0, 0),
        () -> Instant.EPOCH,
        DiskRules.standard(),
        (kind, id) -> {});
  }
}
