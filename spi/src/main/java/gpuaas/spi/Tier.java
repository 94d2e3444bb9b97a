package gpuaas.spi;

/** How firmly an instance is held. */
public enum Tier {
  /** Ours until we give it back. */
  ON_DEMAND,
  /** Cheaper, and may be taken back. */
  SPOT
}
