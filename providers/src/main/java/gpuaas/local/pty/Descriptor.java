package gpuaas.local.pty;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A non-blocking file descriptor with blocking streams: a thread that has to wait parks, and the
 * {@link Poller} wakes it. Closing wakes everybody: readers see the end, writers an error.
 *
 * <p>The number is used only under the lock, so it is never used after it was given back.
 */
final class Descriptor {

  /** Large enough to be quick, small enough not to hold up a resize or a close. */
  private static final int LARGEST_TRANSFER_BYTES = 64 * 1024;

  private final int number;
  private final Poller poller = Poller.shared();
  private final long tag;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition readable = lock.newCondition();
  private final Condition writable = lock.newCondition();
  private int awaited;
  private boolean known;
  private boolean closed;

  /** Owns the number from now on; it must already be non-blocking. */
  Descriptor(int number) {
    this.number = number;
    this.tag = poller.register(this);
  }

  /** What to do with the number while it cannot be closed. */
  interface Use {
    void with(int number) throws IOException;
  }

  /** Does nothing once closed. */
  void use(Use use) throws IOException {
    lock.lock();
    try {
      if (!closed) {
        use.with(number);
      }
    } finally {
      lock.unlock();
    }
  }

  int read(byte[] bytes, int offset, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    lock.lock();
    try {
      while (!closed) {
        try {
          int count = LibC.read(number, bytes, offset, Math.min(length, LARGEST_TRANSFER_BYTES));
          return count == 0 ? -1 : count;
        } catch (LibC.Failure e) {
          if (e.number() == LibC.EIO) { // how a terminal says that its other side is gone
            return -1;
          }
          await(e, LibC.EPOLLIN, readable);
        }
      }
      return -1;
    } finally {
      lock.unlock();
    }
  }

  void write(byte[] bytes, int offset, int length) throws IOException {
    int done = 0;
    lock.lock();
    try {
      while (done < length) {
        if (closed) {
          throw new IOException("closed");
        }
        try {
          int part = Math.min(length - done, LARGEST_TRANSFER_BYTES);
          done += LibC.write(number, bytes, offset + done, part);
        } catch (LibC.Failure e) {
          await(e, LibC.EPOLLOUT, writable);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  private void await(LibC.Failure why, int event, Condition condition) throws IOException {
    if (why.number() != LibC.EAGAIN) {
      throw why;
    }
    if ((awaited & event) == 0) {
      awaited |= event;
      poller.watch(number, awaited, tag, known);
      known = true;
    }
    try {
      while (!closed && (awaited & event) != 0) {
        condition.await();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Called by the poller. Hang-ups and errors wake both sides: each will see for itself. */
  void ready(int events) {
    lock.lock();
    try {
      if (closed) {
        return;
      }
      boolean both = (events & ~(LibC.EPOLLIN | LibC.EPOLLOUT)) != 0;
      if (both || (events & LibC.EPOLLIN) != 0) {
        awaited &= ~LibC.EPOLLIN;
        readable.signalAll();
      }
      if (both || (events & LibC.EPOLLOUT) != 0) {
        awaited &= ~LibC.EPOLLOUT;
        writable.signalAll();
      }
      if (awaited != 0) { // a notice comes once for both: ask again for the other
        poller.watch(number, awaited, tag, known);
      }
    } catch (IOException _) {
      awaited = 0;
      readable.signalAll();
      writable.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        poller.forget(tag);
        LibC.close(number);
        readable.signalAll();
        writable.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Closing the stream closes the descriptor. */
  InputStream reader() {
    return new InputStream() {
      @Override
      public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
      }

      @Override
      public int read(byte[] bytes, int offset, int length) throws IOException {
        return Descriptor.this.read(bytes, offset, length);
      }

      @Override
      public void close() {
        Descriptor.this.close();
      }
    };
  }

  /** Closing the stream closes the descriptor. */
  OutputStream writer() {
    return new OutputStream() {
      @Override
      public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        Descriptor.this.write(bytes, offset, length);
      }

      @Override
      public void close() {
        Descriptor.this.close();
      }
    };
  }
}
