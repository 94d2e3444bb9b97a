package gpuaas.market.sim;

/**
 * A machine that can be rented as a whole.
 *
 * @param number unique in the market
 * @param gpuName in the market's words
 * @param microsPerHour for all its GPUs
 * @param diskMicrosPerGbMonth for its disk, from being rented to being destroyed
 */
public record SimOffer(
    long number,
    String gpuName,
    int gpuMemoryMb,
    int gpus,
    long microsPerHour,
    long diskMicrosPerGbMonth,
    String place,
    int processors,
    int memoryMb,
    int diskGb) {

  private static final long HOURS_A_MONTH = 730;

  /** What a disk of this size costs for an hour. */
  public long diskMicrosPerHour(long gigabytes) {
    return Math.ceilDiv(diskMicrosPerGbMonth * gigabytes, HOURS_A_MONTH);
  }

  /** The same with something more to pay for, all of it at so many percent of its price. */
  SimOffer with(long extraMicrosPerHour, int percent) {
    return new SimOffer(
        number,
        gpuName,
        gpuMemoryMb,
        gpus,
        (microsPerHour + extraMicrosPerHour) * percent / 100,
        diskMicrosPerGbMonth,
        place,
        processors,
        memoryMb,
        diskGb);
  }
}
