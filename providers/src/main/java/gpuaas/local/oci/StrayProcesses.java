package gpuaas.local.oci;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runtimes that were left at work when the server ended in the middle of a creation. */
final class StrayProcesses {

  private static final long END_SECONDS = 10;

  private StrayProcesses() {}

  /** Ends every process of a program that has this environment's id as an argument. */
  static void end(String program, String id) {
    ProcessHandle.allProcesses()
        .filter(process -> isAbout(process, program, id))
        .forEach(process -> {
          process.destroyForcibly();
          try {
            process.onExit().get(END_SECONDS, TimeUnit.SECONDS);
          } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
          } catch (ExecutionException | TimeoutException stuck) {
            throw new IllegalStateException("process " + process.pid() + " does not end", stuck);
          }
        });
  }

  private static boolean isAbout(ProcessHandle process, String program, String id) {
    ProcessHandle.Info info = process.info();
    return info.command().filter(command -> command.endsWith("/" + program)).isPresent()
        && info.arguments().filter(words -> List.of(words).contains(id)).isPresent();
  }
}
