package gpuaas.local.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/** NVIDIA's management library, asked directly: the quickest and the most exact source. */
final class Nvml implements AutoCloseable {

  /** As installed with the driver. */
  static final String LIBRARY = "libnvidia-ml.so.1";

  private static final int TEXT_BYTES = 96;
  private static final int MOST_DEVICES = 256;
  private static final long MIB = 1L << 20;

  private final SymbolLookup library;

  private Nvml(SymbolLookup library) {
    this.library = library;
  }

  /**
   * Lists the GPUs that the driver has.
   *
   * @throws SourceFailure when there is no library, or it does not answer
   */
  static List<DriverGpu> list(String libraryName) throws SourceFailure {
    try (Arena arena = Arena.ofConfined();
        Nvml nvml = new Nvml(SymbolLookup.libraryLookup(libraryName, arena))) {
      nvml.call("nvmlInit_v2");
      return nvml.devices(arena);
    } catch (IllegalArgumentException absent) {
      throw new SourceFailure("no library " + libraryName);
    }
  }

  /**
   * How busy the busiest of these GPUs is, in percent, by the driver's last measurement.
   *
   * @throws SourceFailure when one of them cannot be asked
   */
  static int busiest(String libraryName, List<String> uuids) throws SourceFailure {
    try (Arena arena = Arena.ofConfined();
        Nvml nvml = new Nvml(SymbolLookup.libraryLookup(libraryName, arena))) {
      nvml.call("nvmlInit_v2");
      int busiest = 0;
      for (String uuid : uuids) {
        busiest = Math.max(busiest, nvml.busy(arena, uuid));
      }
      return busiest;
    } catch (IllegalArgumentException absent) {
      throw new SourceFailure("no library " + libraryName);
    }
  }

  private int busy(Arena arena, String uuid) throws SourceFailure {
    MemorySegment handle = arena.allocate(ADDRESS);
    check(
        "nvmlDeviceGetHandleByUUID",
        invoke(
            "nvmlDeviceGetHandleByUUID",
            List.of(ADDRESS, ADDRESS),
            arena.allocateFrom(uuid),
            handle));
    // struct nvmlUtilization_t: percent of time for the GPU and for its memory
    MemorySegment rates = arena.allocate(JAVA_INT, 2);
    check(
        "nvmlDeviceGetUtilizationRates",
        invoke(
            "nvmlDeviceGetUtilizationRates",
            List.of(ADDRESS, ADDRESS),
            handle.get(ADDRESS, 0),
            rates));
    return rates.get(JAVA_INT, 0);
  }

  private List<DriverGpu> devices(Arena arena) throws SourceFailure {
    MemorySegment number = arena.allocate(JAVA_INT);
    call("nvmlDeviceGetCount_v2", number);
    int count = Math.min(number.get(JAVA_INT, 0), MOST_DEVICES);
    List<DriverGpu> gpus = new ArrayList<>();
    for (int index = 0; index < count; index++) {
      gpus.add(device(arena, index));
    }
    return gpus;
  }

  private DriverGpu device(Arena arena, int index) throws SourceFailure {
    MemorySegment handle = arena.allocate(ADDRESS);
    check(
        "nvmlDeviceGetHandleByIndex_v2",
        invoke("nvmlDeviceGetHandleByIndex_v2", List.of(JAVA_INT, ADDRESS), index, handle));
    MemorySegment device = handle.get(ADDRESS, 0);
    MemorySegment number = arena.allocate(JAVA_INT);
    check(
        "nvmlDeviceGetMinorNumber",
        invoke("nvmlDeviceGetMinorNumber", List.of(ADDRESS, ADDRESS), device, number));
    // struct nvmlMemory_t: total, free and used bytes
    MemorySegment memory = arena.allocate(JAVA_LONG, 3);
    check(
        "nvmlDeviceGetMemoryInfo",
        invoke("nvmlDeviceGetMemoryInfo", List.of(ADDRESS, ADDRESS), device, memory));
    return new DriverGpu(
        text(arena, "nvmlDeviceGetUUID", device),
        text(arena, "nvmlDeviceGetName", device),
        (int) (memory.get(JAVA_LONG, 0) / MIB),
        number.get(JAVA_INT, 0));
  }

  private String text(Arena arena, String function, MemorySegment device) throws SourceFailure {
    MemorySegment text = arena.allocate(TEXT_BYTES);
    List<MemoryLayout> shape = List.of(ADDRESS, ADDRESS, JAVA_INT);
    check(function, invoke(function, shape, device, text, TEXT_BYTES));
    return text.getString(0);
  }

  private void call(String function) throws SourceFailure {
    check(function, invoke(function, List.of()));
  }

  private void call(String function, MemorySegment argument) throws SourceFailure {
    check(function, invoke(function, List.of(ADDRESS), argument));
  }

  private int invoke(String function, List<? extends MemoryLayout> shape, Object... arguments)
      throws SourceFailure {
    MemorySegment address =
        library.find(function).orElseThrow(() -> new SourceFailure("no function " + function));
    MethodHandle handle =
        Linker.nativeLinker()
            .downcallHandle(
                address, FunctionDescriptor.of(JAVA_INT, shape.toArray(MemoryLayout[]::new)));
    try {
      return (int) handle.invokeWithArguments(arguments);
    } catch (Throwable failure) {
      throw new SourceFailure(function + " could not be called: " + failure.getMessage());
    }
  }

  private static void check(String function, int result) throws SourceFailure {
    if (result != 0) {
      throw new SourceFailure(function + " answered " + result);
    }
  }

  @Override
  public void close() throws SourceFailure {
    invoke("nvmlShutdown", List.of());
  }
}
