package gpuaas.local.pty;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/** The few calls of the C library that terminals and pipes need. Linux, x86-64 and aarch64. */
final class LibC {

  static final int EINTR = 4;
  static final int EIO = 5;
  static final int EAGAIN = 11;

  static final int EPOLLIN = 1;
  static final int EPOLLOUT = 4;
  static final int EPOLLONESHOT = 1 << 30;

  private static final int O_WRITE_AND_READ = 2;
  private static final int O_NOCTTY = 0x100;
  private static final int O_NONBLOCK = 0x800;
  private static final int O_CLOEXEC = 0x80000;
  private static final int F_SETFL = 4;
  private static final int TIOCSWINSZ = 0x5414;
  private static final int EPOLL_CTL_ADD = 1;
  private static final int EPOLL_CTL_MOD = 3;

  /** The kernel packs this struct on x86-64 only. */
  private static final boolean PACKED = System.getProperty("os.arch", "").equals("amd64");

  private static final int EPOLL_EVENT_BYTES = PACKED ? 12 : 16;
  private static final int EPOLL_DATA_OFFSET = PACKED ? 4 : 8;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle OPENPT = plain("posix_openpt", JAVA_INT, JAVA_INT);
  private static final MethodHandle GRANTPT = plain("grantpt", JAVA_INT, JAVA_INT);
  private static final MethodHandle UNLOCKPT = plain("unlockpt", JAVA_INT, JAVA_INT);
  private static final MethodHandle PTSNAME =
      plain("ptsname_r", JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG);
  private static final MethodHandle OPEN = variadic("open", 2, ADDRESS, JAVA_INT, JAVA_INT);
  private static final MethodHandle FCNTL = variadic("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle IOCTL = variadic("ioctl", 2, JAVA_INT, JAVA_LONG, ADDRESS);
  private static final MethodHandle PIPE = plain("pipe2", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle CLOSE = plain("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle KILL = plain("kill", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle EPOLL_CREATE = plain("epoll_create1", JAVA_INT, JAVA_INT);
  private static final MethodHandle EPOLL_CONTROL =
      plain("epoll_ctl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
  private static final MethodHandle EPOLL_WAIT =
      plain("epoll_wait", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
  // Non-blocking transfers straight from and to Java arrays, without a copy.
  private static final MethodHandle READ = transfer("read");
  private static final MethodHandle WRITE = transfer("write");

  private LibC() {}

  /** A failed call, with the number that says why. */
  static final class Failure extends IOException {
    private static final long serialVersionUID = 1;
    private final int number;

    Failure(String call, int number) {
      super(call + " failed with errno " + number);
      this.number = number;
    }

    int number() {
      return number;
    }
  }

  private interface Call {
    long run(MemorySegment state, Arena arena) throws Throwable;
  }

  /** Opens the master side of a new terminal, non-blocking. */
  static int openTerminal() throws IOException {
    int master =
        (int)
            checked(
                "posix_openpt",
                (state, _) ->
                    (int) OPENPT.invokeExact(state, O_WRITE_AND_READ | O_NOCTTY | O_CLOEXEC));
    try {
      checked("grantpt", (state, _) -> (int) GRANTPT.invokeExact(state, master));
      checked("unlockpt", (state, _) -> (int) UNLOCKPT.invokeExact(state, master));
      unblock(master);
      return master;
    } catch (IOException | RuntimeException e) {
      close(master);
      throw e;
    }
  }

  /** The path of the other side of a terminal. */
  static String terminalName(int master) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment name = arena.allocate(128);
      checked("ptsname_r", (state, _) -> (int) PTSNAME.invokeExact(state, master, name, 128L));
      return name.getString(0);
    }
  }

  /** Opens a terminal's other side without making it the terminal of this Java process. */
  static int openQuietly(String path) throws IOException {
    return (int)
        checked(
            "open " + path,
            (state, arena) ->
                (int)
                    OPEN.invokeExact(
                        state,
                        arena.allocateFrom(path),
                        O_WRITE_AND_READ | O_NOCTTY | O_CLOEXEC,
                        0));
  }

  /** A new pipe: the end to read from, then the end to write to. Both block. */
  static int[] pipe() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment ends = arena.allocate(JAVA_INT, 2);
      checked("pipe2", (state, _) -> (int) PIPE.invokeExact(state, ends, O_CLOEXEC));
      return ends.toArray(JAVA_INT);
    }
  }

  static void unblock(int descriptor) throws IOException {
    checked("fcntl", (state, _) -> (int) FCNTL.invokeExact(state, descriptor, F_SETFL, O_NONBLOCK));
  }

  static void windowSize(int terminal, int columns, int rows) throws IOException {
    checked(
        "ioctl TIOCSWINSZ",
        (state, arena) -> {
          MemorySegment size = arena.allocate(JAVA_SHORT, 4);
          size.setAtIndex(JAVA_SHORT, 0, (short) rows);
          size.setAtIndex(JAVA_SHORT, 1, (short) columns);
          return (int) IOCTL.invokeExact(state, terminal, (long) TIOCSWINSZ, size);
        });
  }

  static void close(int descriptor) {
    try {
      checked("close", (state, _) -> (int) CLOSE.invokeExact(state, descriptor));
    } catch (IOException _) {
      // Linux frees the number even then.
    }
  }

  /** Sends a signal; false if there is nobody left to get it. */
  static boolean kill(long target, int signal) {
    try {
      checked("kill", (state, _) -> (int) KILL.invokeExact(state, (int) target, signal));
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  /** Bytes read, 0 at the end; throws {@link Failure} with EAGAIN if there are none yet. */
  static int read(int descriptor, byte[] bytes, int offset, int length) throws IOException {
    MemorySegment target = MemorySegment.ofArray(bytes).asSlice(offset, length);
    return (int)
        checked(
            "read",
            (state, _) -> (long) READ.invokeExact(state, descriptor, target, (long) length));
  }

  /** Bytes written; throws {@link Failure} with EAGAIN if there is no room yet. */
  static int write(int descriptor, byte[] bytes, int offset, int length) throws IOException {
    MemorySegment source = MemorySegment.ofArray(bytes).asSlice(offset, length);
    return (int)
        checked(
            "write",
            (state, _) -> (long) WRITE.invokeExact(state, descriptor, source, (long) length));
  }

  static int epoll() throws IOException {
    return (int)
        checked("epoll_create1", (state, _) -> (int) EPOLL_CREATE.invokeExact(state, O_CLOEXEC));
  }

  /** Asks for one notice when any of the events comes; closing the descriptor forgets it. */
  static void watch(int epoll, int descriptor, int events, long tag, boolean known)
      throws IOException {
    checked(
        "epoll_ctl",
        (state, arena) -> {
          MemorySegment event = arena.allocate(EPOLL_EVENT_BYTES, 8);
          event.set(JAVA_INT, 0, events | EPOLLONESHOT);
          event.set(JAVA_LONG.withByteAlignment(1), EPOLL_DATA_OFFSET, tag);
          int how = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
          return (int) EPOLL_CONTROL.invokeExact(state, epoll, how, descriptor, event);
        });
  }

  /** Waits for notices; the tag and the events of each, one after the other. */
  static long[] notices(int epoll, MemorySegment buffer) throws IOException {
    int room = (int) (buffer.byteSize() / EPOLL_EVENT_BYTES);
    int count =
        (int)
            checked(
                "epoll_wait",
                (state, _) -> (int) EPOLL_WAIT.invokeExact(state, epoll, buffer, room, -1));
    long[] notices = new long[count * 2];
    for (int i = 0; i < count; i++) {
      long at = (long) i * EPOLL_EVENT_BYTES;
      notices[2 * i] = buffer.get(JAVA_LONG.withByteAlignment(1), at + EPOLL_DATA_OFFSET);
      notices[2 * i + 1] = buffer.get(JAVA_INT.withByteAlignment(1), at);
    }
    return notices;
  }

  private static long checked(String name, Call call) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      while (true) {
        long result = call.run(state, arena);
        if (result >= 0) {
          return result;
        }
        int errno = (int) ERRNO.get(state, 0L);
        if (errno != EINTR) {
          throw new Failure(name, errno);
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static MethodHandle plain(String name, MemoryLayout result, MemoryLayout... parameters) {
    return find(name, FunctionDescriptor.of(result, parameters));
  }

  private static MethodHandle variadic(String name, int fixed, MemoryLayout... parameters) {
    return find(
        name, FunctionDescriptor.of(JAVA_INT, parameters), Linker.Option.firstVariadicArg(fixed));
  }

  private static MethodHandle transfer(String name) {
    return find(
        name,
        FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG),
        Linker.Option.critical(true));
  }

  private static MethodHandle find(
      String name, FunctionDescriptor shape, Linker.Option... options) {
    Linker.Option[] all = new Linker.Option[options.length + 1];
    System.arraycopy(options, 0, all, 0, options.length);
    all[options.length] = Linker.Option.captureCallState("errno");
    return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), shape, all);
  }

  /** Room for so many notices. */
  static MemorySegment noticeBuffer(Arena arena, int count) {
    return arena.allocate(MemoryLayout.sequenceLayout((long) count * EPOLL_EVENT_BYTES, JAVA_BYTE));
  }
}
