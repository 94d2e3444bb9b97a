package gpuaas.spi;

/**
 * Which offers are of interest; a provider may return more than asked for.
 *
 * @param gpuModel a model in our spelling, or empty for all
 * @param gpuCountLeast at least so many GPUs in one instance
 * @param limit at most so many offers
 */
public record OfferQuery(String gpuModel, int gpuCountLeast, int limit) {

  /** Everything, up to ten thousand. */
  public static OfferQuery all() {
    return new OfferQuery("", 1, 10_000);
  }
}
