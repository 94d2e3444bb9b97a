package gpuaas.local.image.registry;

/** The steps of fetching an image, in order; a test can end it all after each. */
public enum PullStep {
  /** It is known which image is meant. */
  RESOLVED,
  /** Its layers are here. */
  COPIED,
  /** Its files are here. */
  UNPACKED,
  /** It can be used. */
  PLACED
}
