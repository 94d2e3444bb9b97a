package gpuaas.gpudev;

import gpuaas.spi.Gpu;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What this dialect calls GPUs, and the instance types that have them: the table of the original
 * (contract 6.4). What it does not know is called by its own name in lower case, without blanks.
 */
enum GpuTypes {
  T4("t4", "T4", "g4dn.12xlarge", "g4dn.4xlarge", "g4dn.8xlarge", "g4dn.16xlarge"),
  T4_SMALL("t4-small", "T4", "g4dn.2xlarge", "g4dn.xlarge"),
  L4("l4", "L4", "g6.12xlarge", "g6.16xlarge", "g6.24xlarge"),
  A10G("a10g", "A10G", "g5.12xlarge"),
  A100("a100", "A100", "p4d.24xlarge", "p4de.24xlarge"),
  H100("h100", "H100", "p5.48xlarge"),
  H200("h200", "H200", "p5e.48xlarge", "p5en.48xlarge"),
  B200("b200", "B200", "p6-b200.48xlarge"),
  B300("b300", "B300", "p6-b300.48xlarge"),
  CPU_X86("cpu-x86", "CPU_X86", "c7i.8xlarge", "c7i.4xlarge"),
  CPU_ARM("cpu-arm", "CPU_ARM", "c7g.8xlarge", "c7g.4xlarge");

  private final String text;
  private final String model;
  private final String instanceTypes;

  GpuTypes(String text, String model, String... instanceTypes) {
    this.text = text;
    this.model = model;
    this.instanceTypes = String.join(" ", instanceTypes);
  }

  /** The first is what it is called when nothing was said. */
  private List<String> instanceTypes() {
    return List.of(instanceTypes.split(" ", -1));
  }

  /** The GPU model, in our spelling, of a type in any case. */
  static String model(String type) {
    String word = type.strip().toLowerCase(Locale.ROOT);
    return Arrays.stream(values())
        .filter(known -> known.text.equals(word))
        .map(known -> known.model)
        .findFirst()
        .orElseGet(() -> Gpu.called(word, 1).model());
  }

  /** Whether a type is one of places without GPUs. */
  static boolean isCpu(String type) {
    return Gpu.isCpuPlace(model(type));
  }

  /** The type that an instance type has; empty when it is not known. */
  static Optional<String> ofInstanceType(String instanceType) {
    String word = instanceType.strip().toLowerCase(Locale.ROOT);
    return Arrays.stream(values())
        .filter(known -> known.instanceTypes().contains(word))
        .map(known -> known.text)
        .findFirst();
  }

  /** What this dialect calls a GPU model. */
  static String ofModel(String model) {
    return Arrays.stream(values())
        .filter(known -> known.model.equals(model) && known != T4_SMALL)
        .map(known -> known.text)
        .findFirst()
        .orElseGet(() -> model.toLowerCase(Locale.ROOT).replace(" ", ""));
  }

  /** The instance type that has this GPU model; empty when none is known. */
  static Optional<String> instanceType(String model) {
    return Arrays.stream(values())
        .filter(known -> known.model.equals(model) && known != T4_SMALL)
        .map(known -> known.instanceTypes().getFirst())
        .findFirst();
  }
}
