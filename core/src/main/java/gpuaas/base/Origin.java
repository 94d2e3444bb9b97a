package gpuaas.base;

/**
 * Where a request came from, for the trail.
 *
 * @param address of the network; empty: from inside
 * @param userAgent what the client calls itself, shortened; anybody can write anything there
 */
public record Origin(String address, String userAgent) {

  /** From inside. */
  public static final Origin INSIDE = new Origin("", "");

  private static final int LENGTH_MOST = 200;

  public Origin {
    userAgent = clean(userAgent);
    address = clean(address);
  }

  private static String clean(String text) {
    return text.substring(0, Math.min(LENGTH_MOST, text.length())).replaceAll("\\p{Cntrl}", " ");
  }
}
