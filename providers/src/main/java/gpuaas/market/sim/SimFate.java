package gpuaas.market.sim;

/** What becomes of a machine that is rented at a simulated market. */
public enum SimFate {
  /** Nothing bad. */
  FINE,
  /** It says that it runs, and never answers. */
  NEVER_ANSWERS,
  /** Its container cannot be made. */
  CANNOT_START,
  /** It comes up with one GPU less. */
  FEWER_GPUS
}
