package gpuaas.local.linux;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Path;

/** System calls by the foreign function interface. Stateless; safe from every thread. */
public final class SystemCalls {

  /** Signals as the kernel numbers them. */
  public static final int SIGHUP = 1;

  /** The signal that cannot be refused. */
  public static final int SIGKILL = 9;

  private static final int ENOENT = 2;
  private static final int ESRCH = 3;
  private static final int EINVAL = 22;
  private static final int MNT_DETACH = 2;
  private static final int O_RDONLY_CLOEXEC = 0x80000;
  private static final int CLONE_NEWNET = 0x40000000;

  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO = STATE.varHandle(PathElement.groupElement("errno"));

  private static final MethodHandle MOUNT =
      link("mount", JAVA_INT, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle UMOUNT2 = link("umount2", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle KILL = link("kill", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle OPEN = link("open", JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle CLOSE = link("close", JAVA_INT, JAVA_INT);
  private static final MethodHandle SETNS = link("setns", JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle GETEUID = link("geteuid", JAVA_INT);
  private static final MethodHandle STRERROR =
      Linker.nativeLinker()
          .downcallHandle(
              Linker.nativeLinker().defaultLookup().findOrThrow("strerror"),
              FunctionDescriptor.of(
                  ADDRESS.withTargetLayout(MemoryLayout.sequenceLayout(256, JAVA_BYTE)), JAVA_INT));

  private SystemCalls() {}

  /** Whether this process may do everything on the host. */
  public static boolean isRoot() {
    try (Arena arena = Arena.ofConfined()) {
      return (int) GETEUID.invokeExact(arena.allocate(STATE)) == 0;
    } catch (Throwable failure) {
      throw unexpected("geteuid", failure);
    }
  }

  /** Mounts a file system. */
  public static void mount(String source, Path target, String type, long flags, String options)
      throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result =
          (int)
              MOUNT.invokeExact(
                  state,
                  arena.allocateFrom(source),
                  arena.allocateFrom(target.toString()),
                  arena.allocateFrom(type),
                  flags,
                  arena.allocateFrom(options));
      require(result, state, "mount of " + type + " at " + target);
    } catch (IOException failure) {
      throw failure;
    } catch (Throwable failure) {
      throw unexpected("mount", failure);
    }
  }

  /** Takes a mount away, even one in use. Nothing mounted there is success. */
  public static void unmount(Path target) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result =
          (int) UMOUNT2.invokeExact(state, arena.allocateFrom(target.toString()), MNT_DETACH);
      int reason = (int) ERRNO.get(state, 0L);
      if (result != 0 && reason != ENOENT && reason != EINVAL) {
        throw failure("unmount of " + target, reason);
      }
    } catch (IOException failure) {
      throw failure;
    } catch (Throwable failure) {
      throw unexpected("umount2", failure);
    }
  }

  /**
   * Sends a signal.
   *
   * @param pid a process, or the negative number of a process group
   * @return false when there is no such process
   */
  public static boolean kill(long pid, int signal) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      int result = (int) KILL.invokeExact(state, Math.toIntExact(pid), signal);
      int reason = (int) ERRNO.get(state, 0L);
      if (result != 0 && reason != ESRCH) {
        throw failure("signal to process " + pid, reason);
      }
      return result == 0;
    } catch (IOException failure) {
      throw failure;
    } catch (Throwable failure) {
      throw unexpected("kill", failure);
    }
  }

  /**
   * Moves the calling thread, for good, into the network of a process. Call it only on a platform
   * thread that ends afterwards.
   */
  public static void enterNetworkOf(long pid) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(STATE);
      String path = "/proc/" + pid + "/ns/net";
      int descriptor = (int) OPEN.invokeExact(state, arena.allocateFrom(path), O_RDONLY_CLOEXEC);
      require(descriptor, state, "open of " + path);
      int entered = (int) SETNS.invokeExact(state, descriptor, CLONE_NEWNET);
      int reason = (int) ERRNO.get(state, 0L);
      int closed = (int) CLOSE.invokeExact(state, descriptor);
      if (entered != 0 || closed != 0) {
        throw failure("setns to " + path, reason);
      }
    } catch (IOException failure) {
      throw failure;
    } catch (Throwable failure) {
      throw unexpected("setns", failure);
    }
  }

  private static void require(int result, MemorySegment state, String what) throws IOException {
    if (result < 0) {
      throw failure(what, (int) ERRNO.get(state, 0L));
    }
  }

  private static IOException failure(String what, int reason) {
    return new IOException(what + ": " + describe(reason));
  }

  private static String describe(int reason) {
    try {
      return ((MemorySegment) STRERROR.invokeExact(reason)).getString(0);
    } catch (Throwable failure) {
      return "errno " + reason;
    }
  }

  private static IllegalStateException unexpected(String call, Throwable failure) {
    return new IllegalStateException("the system call " + call + " could not be made", failure);
  }

  private static MethodHandle link(String name, MemoryLayout result, MemoryLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name),
        FunctionDescriptor.of(result, arguments),
        Linker.Option.captureCallState("errno"));
  }
}
