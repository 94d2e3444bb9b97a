package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.spi.Provider;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where there is no btrfs, disks keep the same contract, and say that they hold no size. */
class FolderDisksContractTest extends LocalContractTest {

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  private LocalProvider provider;

  @BeforeEach
  @Override
  void open() {
    provider = Inside.open(folder, Map.of("disk-store", "folders"));
  }

  @Override
  protected Provider provider() {
    return provider;
  }

  @Test
  void itClaimsOnlyWhatItHas() {
    // Nothing here can hold a disk to its size, and that is said, with the reason.
    var room = provider.disks().orElseThrow().room();
    assertThat(room.enforced()).isFalse();
    assertThat(room.message()).contains("disk-store=folders");
  }
}
