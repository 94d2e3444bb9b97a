package gpuaas.local.pty;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One platform thread for the whole Java process that waits for all descriptors, so that virtual
 * threads can park instead of blocking in the kernel.
 */
final class Poller {

  private static final Logger LOG = LoggerFactory.getLogger(Poller.class);
  private static final Poller SHARED = new Poller();

  private final int epoll;
  private final AtomicLong tags = new AtomicLong();
  private final ConcurrentMap<Long, Descriptor> descriptors = new ConcurrentHashMap<>();

  private Poller() {
    try {
      epoll = LibC.epoll();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofPlatform().daemon().name("descriptor-poller").start(this::run);
  }

  static Poller shared() {
    return SHARED;
  }

  long register(Descriptor descriptor) {
    long tag = tags.incrementAndGet();
    descriptors.put(tag, descriptor);
    return tag;
  }

  void forget(long tag) {
    descriptors.remove(tag);
  }

  void watch(int number, int events, long tag, boolean known) throws IOException {
    LibC.watch(epoll, number, events, tag, known);
  }

  private void run() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = LibC.noticeBuffer(arena, 64);
      while (true) {
        long[] notices = LibC.notices(epoll, buffer);
        for (int i = 0; i < notices.length; i += 2) {
          Descriptor descriptor = descriptors.get(notices[i]);
          if (descriptor != null) { // else closed meanwhile
            descriptor.ready((int) notices[i + 1]);
          }
        }
      }
    } catch (IOException | RuntimeException e) {
      LOG.error("the poller ended; terminals and pipes will hang until a restart", e);
    }
  }
}
