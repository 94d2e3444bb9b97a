package gpuaas.market;

import gpuaas.spi.Gpu;
import java.math.BigDecimal;
import java.math.RoundingMode;

/** What markets say of their GPUs, in our words. */
public final class MarketGpus {

  private MarketGpus() {}

  /**
   * The GPU that a market calls so; see {@link Gpu#called}.
   *
   * @param memoryMib of one of them
   */
  public static Gpu gpu(String name, int memoryMib) {
    return Gpu.called(name, memoryMib);
  }

  /** A decimal amount of dollars an hour in millionths, rounded up: never less than is asked. */
  public static long micros(BigDecimal dollars) {
    return dollars.movePointRight(6).setScale(0, RoundingMode.CEILING).longValueExact();
  }
}
