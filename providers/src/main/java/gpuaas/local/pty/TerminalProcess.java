package gpuaas.local.pty;

import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A command of this host with a terminal of its own. Its streams may be used from virtual threads.
 */
public final class TerminalProcess implements ExecChannel {

  private static final File NOTHING = new File("/dev/null");
  private static final String TAKE_TERMINAL = "exec <>\"$1\" >&0 2>&0; shift; exec \"$@\"";
  private static final int LARGEST_SIDE = 65_535;
  private static final byte INTERRUPT = 0x03;
  private static final byte END_OF_INPUT = 0x04;
  private static final byte SUSPEND = 0x1a;
  private static final byte QUIT = 0x1c;

  private final Descriptor master;
  private final HostProcess process;
  private final InputStream output;
  private final OutputStream input;

  private TerminalProcess(Descriptor master, HostProcess process) {
    this.master = master;
    this.process = process;
    this.output = master.reader();
    this.input = new Keyboard(master);
  }

  /**
   * Starts a command. A command that does not exist says so on the terminal and ends with 127.
   *
   * @param environment all variables of the process; {@code TERM} is added from the terminal
   * @throws UncheckedIOException when there is no terminal or process left
   */
  public static TerminalProcess start(
      List<String> command, Map<String, String> environment, ExecRequest.Terminal terminal) {
    HostProcess.check(command);
    try {
      int number = LibC.openTerminal();
      Descriptor master = new Descriptor(number);
      try {
        return new TerminalProcess(master, start(number, command, environment, terminal));
      } catch (IOException | RuntimeException e) {
        master.close();
        throw e;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + command.getFirst() + " in a terminal", e);
    }
  }

  private static HostProcess start(
      int master,
      List<String> command,
      Map<String, String> environment,
      ExecRequest.Terminal terminal)
      throws IOException {
    String path = LibC.terminalName(master);
    size(master, terminal.columns(), terminal.rows());
    Map<String, String> variables = new HashMap<>(environment);
    if (!terminal.type().isEmpty()) {
      variables.put("TERM", terminal.type());
    }
    // The new session's leader opens the terminal itself and so becomes its owner. Were it opened
    // here, a server that leads a session (a service does) would own it, and die of its hang-up.
    List<String> line = new ArrayList<>(HostProcess.PREFIX);
    line.addAll(List.of("/bin/sh", "-c", TAKE_TERMINAL, "sh", path));
    line.addAll(command);
    ProcessBuilder builder =
        new ProcessBuilder(line)
            .redirectInput(NOTHING)
            .redirectOutput(NOTHING)
            .redirectError(NOTHING);
    // Held until the end, so that the end is seen even if the process never opened its side.
    int slave = LibC.openQuietly(path);
    try {
      HostProcess process = HostProcess.start(builder, variables);
      process.atEnd(() -> LibC.close(slave));
      return process;
    } catch (IOException | RuntimeException e) {
      LibC.close(slave);
      throw e;
    }
  }

  /** Closing it types the end-of-input character. */
  @Override
  public OutputStream input() {
    return input;
  }

  @Override
  public InputStream output() {
    return output;
  }

  @Override
  public InputStream error() {
    return InputStream.nullInputStream();
  }

  @Override
  public void resize(int columns, int rows) {
    try {
      master.use(number -> size(number, columns, rows));
    } catch (IOException _) {
      // The terminal is gone, and so is everybody who would look at its size.
    }
  }

  /**
   * {@code INT}, {@code QUIT} and {@code TSTP} are typed, so that they reach what runs in the
   * foreground, also behind a second terminal; all others go to the group of the command.
   */
  @Override
  public void signal(String name) {
    switch (name) {
      case "INT" -> type(INTERRUPT);
      case "QUIT" -> type(QUIT);
      case "TSTP" -> type(SUSPEND);
      default -> process.signal(name);
    }
  }

  @Override
  public int waitFor() throws InterruptedException {
    return process.waitFor();
  }

  /** Hangs up, and kills after two seconds. Does not wait. */
  @Override
  public void close() {
    process.end();
    master.close();
  }

  private void type(byte character) {
    try {
      master.write(new byte[] {character}, 0, 1);
    } catch (IOException _) {
      // Nobody is left to be interrupted.
    }
  }

  private static void size(int terminal, int columns, int rows) throws IOException {
    LibC.windowSize(
        terminal, Math.clamp(columns, 0, LARGEST_SIDE), Math.clamp(rows, 0, LARGEST_SIDE));
  }

  private static final class Keyboard extends OutputStream {
    private final Descriptor master;
    private boolean closed;
    private byte last = '\n';

    Keyboard(Descriptor master) {
      this.master = master;
    }

    @Override
    public void write(int value) throws IOException {
      write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (closed) {
        throw new IOException("closed");
      }
      master.write(bytes, offset, length);
      if (length > 0) {
        last = bytes[offset + length - 1];
      }
    }

    @Override
    public void close() throws IOException {
      if (!closed) {
        closed = true;
        if (last != '\n') { // the first one only ends the line that has been begun
          master.write(new byte[] {END_OF_INPUT}, 0, 1);
        }
        master.write(new byte[] {END_OF_INPUT}, 0, 1);
      }
    }
  }
}
