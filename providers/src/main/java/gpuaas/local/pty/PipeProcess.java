package gpuaas.local.pty;

import gpuaas.spi.ExecChannel;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A command of this host with three pipes. Its streams may be used from virtual threads, which the
 * JDK's own process streams would hold up.
 */
public final class PipeProcess implements ExecChannel {

  private final HostProcess process;
  private final Descriptor input;
  private final Descriptor output;
  private final Descriptor error;

  private PipeProcess(HostProcess process, Descriptor input, Descriptor output, Descriptor error) {
    this.process = process;
    this.input = input;
    this.output = output;
    this.error = error;
  }

  /**
   * Starts a command. A command that does not exist says so on {@link #error()} and ends with 127.
   *
   * @param environment all variables of the process
   * @throws UncheckedIOException when there is no pipe or process left
   */
  public static PipeProcess start(List<String> command, Map<String, String> environment) {
    HostProcess.check(command);
    List<Integer> ours = new ArrayList<>();
    List<Integer> theirs = new ArrayList<>();
    try {
      int stdin = pipe(ours, theirs, true);
      int stdout = pipe(ours, theirs, false);
      int stderr = pipe(ours, theirs, false);
      List<String> line = new ArrayList<>(HostProcess.PREFIX);
      line.addAll(command);
      ProcessBuilder builder =
          new ProcessBuilder(line)
              .redirectInput(file(stdin))
              .redirectOutput(file(stdout))
              .redirectError(file(stderr));
      HostProcess process = HostProcess.start(builder, environment);
      PipeProcess started =
          new PipeProcess(
              process,
              new Descriptor(ours.get(0)),
              new Descriptor(ours.get(1)),
              new Descriptor(ours.get(2)));
      ours.clear();
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + command.getFirst(), e);
    } finally {
      theirs.forEach(LibC::close); // the process has its own
      ours.forEach(LibC::close);
    }
  }

  private static int pipe(List<Integer> ours, List<Integer> theirs, boolean weWrite)
      throws IOException {
    int[] ends = LibC.pipe();
    int our = ends[weWrite ? 1 : 0];
    int their = ends[weWrite ? 0 : 1];
    ours.add(our);
    theirs.add(their);
    LibC.unblock(our);
    return their;
  }

  /** Opened by this name, a pipe is the same pipe, but blocks as a process expects. */
  private static File file(int descriptor) {
    return new File("/proc/self/fd/" + descriptor);
  }

  @Override
  public OutputStream input() {
    return input.writer();
  }

  @Override
  public InputStream output() {
    return output.reader();
  }

  @Override
  public InputStream error() {
    return error.reader();
  }

  @Override
  public void resize(int columns, int rows) {}

  /** To the command and all it started that did not take a group of its own. */
  @Override
  public void signal(String name) {
    process.signal(name);
  }

  @Override
  public int waitFor() throws InterruptedException {
    return process.waitFor();
  }

  /** Hangs up, and kills after two seconds. Does not wait. */
  @Override
  public void close() {
    process.end();
    input.close();
    output.close();
    error.close();
  }
}
