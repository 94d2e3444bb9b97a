package gpuaas.local.pty;

import gpuaas.spi.Eventually;
import java.time.Duration;

/** Looks at the processes of this machine. */
final class Running {

  private Running() {}

  /** Waits for so many processes with exactly this command line, the program by its full path. */
  static void eventually(int count, String commandLine) {
    Eventually.within(
        Duration.ofSeconds(10),
        count + " processes " + commandLine,
        () ->
            ProcessHandle.allProcesses()
                    .filter(h -> h.info().commandLine().orElse("").equals(commandLine))
                    .count()
                == count);
  }
}
