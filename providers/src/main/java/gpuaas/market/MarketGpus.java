package gpuaas.market;

import gpuaas.spi.Gpu;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** What markets say of their GPUs, in our words. */
public final class MarketGpus {

  private static final int DIGITS_MOST = 400;
  private static final BigDecimal DOLLARS_MOST = BigDecimal.valueOf(1_000_000_000);

  private MarketGpus() {}

  /**
   * The GPU that a market calls so; see {@link Gpu#called}.
   *
   * @param memoryMib of one of them
   */
  public static Gpu gpu(String name, int memoryMib) {
    return Gpu.called(name, memoryMib);
  }

  /**
   * A decimal amount of dollars an hour in millionths, rounded up: never less than is asked. What
   * is less than a billionth is how computers write decimals, and nobody's price.
   */
  public static long micros(BigDecimal dollars) {
    if (dollars.signum() <= 0 || dollars.scale() > DIGITS_MOST) {
      return 0;
    }
    return dollars
        .min(DOLLARS_MOST)
        .setScale(9, RoundingMode.HALF_UP)
        .movePointRight(6)
        .setScale(0, RoundingMode.CEILING)
        .longValueExact();
  }
}
