package gpuaas.spi.gang;

/**
 * An instance's part in a gang. The others are asked for at the same time, each by a request of its
 * own; the gang is complete when all of them exist.
 *
 * @param gang the same for all members, and for no other gang of this deployment
 * @param index which member this is, from 0
 * @param size how many members there are
 */
public record Membership(String gang, int index, int size) {

  public Membership {
    if (index < 0 || index >= size) {
      throw new IllegalArgumentException("member " + index + " of " + size);
    }
  }

  /** What the others call it: {@code node-0}. */
  public String hostName() {
    return hostName(index);
  }

  /** What the member of this number is called. */
  public static String hostName(int index) {
    return "node-" + index;
  }
}
