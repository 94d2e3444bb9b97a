package gpuaas.spi;

/**
 * Processor, memory and disk.
 *
 * @param milliCpus thousandths of a processor
 * @param memoryMib main memory
 * @param diskMib room for files; 0 when none is promised
 */
public record Resources(int milliCpus, int memoryMib, int diskMib) {

  /** So many times this. */
  public Resources times(int count) {
    return new Resources(
        Math.multiplyExact(milliCpus, count),
        Math.multiplyExact(memoryMib, count),
        Math.multiplyExact(diskMib, count));
  }
}
