package gpuaas.local;

import gpuaas.local.gpu.ContainerEdits;

/** What a shell says first. */
public final class Greeting {

  private Greeting() {}

  /** For {@code /etc/motd}. */
  public static String of(Environment environment, ContainerEdits edits) {
    int count = environment.gpus().size();
    String gpus = count == 0 ? "no GPU" : count + (count == 1 ? " GPU" : " GPUs");
    String simulated =
        edits.variables().containsKey("GPUAAS_GPUS_SIMULATED")
            ? "These are simulated GPUs: declared in the settings, for trying things out.\n"
            : "";
    return """

    Welcome to %s: %s, %s processors, %d MiB of memory.
    %s
    """
        .formatted(
            environment.hostName(),
            gpus,
            Double.toString(environment.milliCpus() / 1000.0),
            environment.memoryMib(),
            simulated);
  }
}
