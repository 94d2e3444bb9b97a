package gpuaas.local;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.spi.Assurance.Isolation;
import gpuaas.spi.Assurance.Limit;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderContract;
import gpuaas.spi.ProviderFault;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The fallback keeps the same contract, and claims no more than it has. */
class BubblewrapContractTest extends ProviderContract {

  @TempDir(deletionStrategy = LinksAreFine.class)
  private Path folder;

  private LocalProvider provider;

  @BeforeEach
  void open() {
    provider = Inside.open(folder, Map.of("driver", "bubblewrap"));
  }

  @Override
  protected Provider provider() {
    return provider;
  }

  @Override
  protected Map<ProviderFault, String> notOrderable() {
    Map<ProviderFault, String> reasons = new EnumMap<>(ProviderFault.class);
    for (ProviderFault fault : ProviderFault.values()) {
      reasons.put(
          fault, "this machine is called directly: no wire, no market and no account lie between");
    }
    return reasons;
  }

  @Test
  void itClaimsOnlyWhatItHas() {
    // The probe saw no limit held, and says so on the node and on every offer.
    var assurance = provider.nodes().getFirst().assurance();
    assertThat(assurance.isolation()).isEqualTo(Isolation.BASIC);
    assertThat(assurance.limitsEnforced()).doesNotContain(Limit.MEMORY);
  }

  @Test
  void rootInsideHasNoPower() {
    // Root inside is nobody outside, without any capability, and sees neither host nor neighbour.
    InstanceRef made = provider.create(request(new UUID(1, 1), 1));
    assertThat(Inside.run(provider, made, "cat /proc/self/uid_map").output().split("\\s+"))
        .contains("200000");
    assertThat(Inside.run(provider, made, "grep CapEff /proc/self/status").output())
        .contains("0000000000000000");
    assertThat(Inside.run(provider, made, "ls -d /proc/[0-9]* | wc -l").output().strip())
        .satisfies(count -> assertThat(Integer.parseInt(count)).isLessThan(12));
    assertThat(Inside.run(provider, made, "cat /etc/shadow").exitCode()).isNotZero();
    assertThat(Inside.run(provider, made, "mount -t tmpfs none /mnt").exitCode()).isNotZero();
    provider.destroy(made);
    Inside.eventually("nothing is left", () -> Inside.traces(made.id()).isEmpty());
  }
}
