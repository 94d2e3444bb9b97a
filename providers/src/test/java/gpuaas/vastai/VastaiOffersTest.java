package gpuaas.vastai;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.market.MarketHttp;
import gpuaas.spi.Money;
import gpuaas.spi.Offer;
import gpuaas.spi.Tier;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the market says of an offer, in our words. */
class VastaiOffersTest {

  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
  private static final VastaiTypes TYPES =
      new VastaiTypes(
          new VastaiSettings(
              "", 50, false, List.of(), BigDecimal.ZERO, true, Optional.empty(), true));

  private static Optional<Offer> offer(String more) throws IOException {
    String json =
        "{\"id\":7,\"num_gpus\":1,\"gpu_ram\":24564,\"gpu_name\":\"RTX_4090\",\"dph_total\":0.4"
            + more
            + "}";
    return TYPES.offer(MarketHttp.JSON.readTree(json), "vastai", NOW);
  }

  @Test
  void allThatIsToldIsHandedOn() throws IOException {
    // Reliability, confidence from it and from the bid, CUDA, the machine, its end, its disk.
    Offer offer =
        offer(
                ",\"reliability2\":0.99,\"min_bid\":0.2,\"cuda_max_good\":12.4,\"machine_id\":4711,"
                    + "\"duration\":86400.5,\"storage_cost\":0.15,"
                    + "\"geolocation\":\"California, US\"")
            .orElseThrow();
    assertThat(offer.tier()).isEqualTo(Tier.ON_DEMAND); // a bid is possible, and is not made
    assertThat(offer.facts())
        .isEqualTo(
            new Offer.Facts(
                "California, US",
                Optional.of(new BigDecimal("0.99")),
                Optional.of(new BigDecimal("0.794")), // 0.6 x 0.99 + 0.4 x 0.2 / 0.4
                Optional.of(new BigDecimal("12.4")),
                "vastai-machine-4711",
                Optional.of(new Money(200_000, "USD")),
                Optional.of(NOW.plusSeconds(86_400)),
                Optional.of(new Money(150_000, "USD"))));
  }

  @Test
  void whatIsNotToldIsEmpty() throws IOException {
    // Neither nought nor one: nobody has said anything; and nonsense is not passed on.
    assertThat(offer("").orElseThrow().facts()).isEqualTo(Offer.Facts.NONE);
    assertThat(
            offer(
                    ",\"reliability2\":null,\"min_bid\":0,\"duration\":1e300,\"machine_id\":\"x\","
                        + "\"cuda_max_good\":\"12\",\"storage_cost\":-1")
                .orElseThrow()
                .facts())
        .isEqualTo(Offer.Facts.NONE);
    Offer.Facts noBid = offer(",\"reliability2\":1.5").orElseThrow().facts();
    assertThat(noBid.reliability()).hasValue(BigDecimal.ONE);
    assertThat(noBid.confidence().orElseThrow()).isEqualByComparingTo("1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "California, US|California, US|us-california",
        ", US|US|us",
        "US, US|US|us-us",
        "''|''|unknown",
        "' ,  '|''|unknown"
      })
  void aPlaceIsCleaned(String said, String place, String region) throws IOException {
    // People read the place; the region is what they can ask for.
    Offer offer = offer(",\"geolocation\":\"" + said + "\"").orElseThrow();
    assertThat(offer.facts().place()).isEqualTo(place);
    assertThat(offer.region().code()).isEqualTo(region);
  }
}
