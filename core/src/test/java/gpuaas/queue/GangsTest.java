package gpuaas.queue;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.base.Caller;
import gpuaas.base.Standing;
import gpuaas.catalog.Gang;
import gpuaas.lease.Desk;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.ledger.LedgerRules;
import gpuaas.spi.Tier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Leases that say the same word find each other, and the next ones find each other anew. */
class GangsTest {

  private static final Duration WITHIN = Duration.ofSeconds(60);

  private Desk desk;

  @BeforeEach
  void open() {
    desk = new Desk(LedgerRules.standard(), 1, 4);
  }

  @AfterEach
  void close() {
    desk.close();
  }

  private Gang join(String label, int index, int size) {
    Caller caller = Desk.caller(Standing.OWNER);
    UUID id = UUID.nameUUIDFromBytes((label + index + desk.clock.instant() + size).getBytes());
    return desk.database.tx(tx -> {
      Gang gang = Gangs.join(tx, caller, id, label, index, size, desk.clock.instant(), WITHIN);
      LeaseSpec spec = Desk.spec(1, Tier.ON_DEMAND, LeaseSpec.WhenFull.QUEUE, Guards.NONE).in(gang);
      desk.parts.leases().request(tx, caller, id, spec, Optional.empty());
      return gang;
    });
  }

  @Test
  void whoSaysTheSameIsOneGangAndTheNextIsAnother() {
    Gang first = join("train", 0, 2);
    Gang second = join("train", 1, 2);
    assertThat(second.name()).isEqualTo(first.name());
    assertThat(Gangs.label(first)).isEqualTo("train");
    desk.clock.advance(Duration.ofSeconds(1));
    Gang third = join("train", 0, 2);
    assertThat(third.name()).isNotEqualTo(first.name());
    assertThat(join("train", 1, 2).name()).isEqualTo(third.name());
  }

  @Test
  void otherSizesWordsAndTimesAreOtherGangs() {
    Gang first = join("train", 0, 3);
    assertThat(join("train", 1, 2).name()).isNotEqualTo(first.name());
    assertThat(join("test", 1, 3).name()).isNotEqualTo(first.name());
    desk.clock.advance(WITHIN.plusSeconds(1));
    assertThat(join("train", 1, 3).name()).isNotEqualTo(first.name());
  }

  @Test
  void thoseWhoComeAtTheSameMomentAreOneGang() throws Exception {
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Gang>> all = new ArrayList<>();
      for (int index = 0; index < 8; index++) {
        int mine = index;
        all.add(callers.submit(() -> join("train", mine, 8)));
      }
      List<String> names = new ArrayList<>();
      for (Future<Gang> gang : all) {
        names.add(gang.get().name());
      }
      assertThat(names.stream().distinct()).hasSize(1);
    }
  }
}
