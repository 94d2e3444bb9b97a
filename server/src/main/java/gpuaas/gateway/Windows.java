package gpuaas.gateway;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How much each channel's client may send ahead of a process that does not read. That much memory a
 * client can make us keep, so the sum of the large windows is limited; whoever comes too late gets
 * a small one, which is only slower over a long way.
 */
final class Windows {

  static final long LARGE = 2L << 20;
  static final long SMALL = 64L << 10;

  private final long most;
  private final AtomicLong taken = new AtomicLong();

  Windows(long mostBytes) {
    this.most = mostBytes;
  }

  /** To be given back when the channel closes. */
  long take() {
    if (taken.addAndGet(LARGE) <= most) {
      return LARGE;
    }
    taken.addAndGet(-LARGE);
    return SMALL;
  }

  void giveBack(long window) {
    if (window == LARGE) {
      taken.addAndGet(-LARGE);
    }
  }
}
