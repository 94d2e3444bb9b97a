package gpuaas.spi;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.spi.disk.HasDisks;
import gpuaas.spi.market.HasCharges;
import gpuaas.spi.market.HasPublicPorts;
import gpuaas.spi.market.HasTemplates;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** Checks the abilities that a provider declares, on an instance that is up. */
final class AbilityCheck {

  private final ProviderContract contract;

  AbilityCheck(ProviderContract contract) {
    this.contract = contract;
  }

  void check(InstanceRef instance) throws Exception {
    Provider provider = contract.provider();
    if (provider instanceof HasUtilization able) {
      utilization(able, instance);
    }
    if (provider instanceof HasTemplates able) {
      templates(able);
    }
    if (provider instanceof HasPublicPorts able) {
      able.publicPort(instance, 9).ifPresent(at -> assertThat(at.port()).isPositive());
      InstanceRef never = new InstanceRef(instance.provider(), instance.id().replace('1', '9'));
      assertThat(able.publicPort(never, 9)).as("of what is not there").isEmpty();
    }
    if (provider instanceof HasCharges able) {
      charges(able, instance);
    }
    if (provider instanceof HasDisks able) {
      new DiskCheck(contract, able.disks().orElseThrow()).check();
    }
  }

  private static void utilization(HasUtilization able, InstanceRef instance) {
    HasUtilization.Utilization first = able.utilization(instance);
    HasUtilization.Utilization second = able.utilization(instance);
    assertThat(first.milliCpus()).isPositive();
    // What cannot be known is empty, and stays so; what is known never goes back.
    assertThat(second.processorTime().isPresent()).isEqualTo(first.processorTime().isPresent());
    first
        .processorTime()
        .ifPresent(
            used -> assertThat(second.processorTime().orElseThrow()).isGreaterThanOrEqualTo(used));
    first.gpuPercent().ifPresent(percent -> assertThat(percent).isBetween(0, 100));
  }

  private void templates(HasTemplates able) {
    assertThat(able.templates())
        .isNotEmpty()
        .allSatisfy(one -> assertThat(one.hash()).isNotBlank());
    Offer offer = contract.provider().offers(OfferQuery.all()).getFirst();
    assertThat(able.templates()).containsAll(able.templatesFor(offer.id()));
    assertThat(able.templatesFor("no-such-offer")).isEmpty();
  }

  private static void charges(HasCharges able, InstanceRef instance) {
    Instant now = InstantSource.system().instant();
    assertThat(able.charges(now.minus(Duration.ofDays(1)), now.plus(Duration.ofDays(1))))
        .filteredOn(charge -> charge.instance().equals(instance))
        .hasSizeLessThanOrEqualTo(1)
        .allSatisfy(charge -> assertThat(charge.amount().micros()).isNotNegative());
  }
}
