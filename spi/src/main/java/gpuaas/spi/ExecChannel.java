package gpuaas.spi;

import java.io.InputStream;
import java.io.OutputStream;

/**
 * A process inside an instance. The streams block; closing {@link #input()} tells the process that
 * nothing more comes. With a terminal, {@link #error()} is empty.
 */
public interface ExecChannel extends AutoCloseable {

  /** What the process reads. */
  OutputStream input();

  /** What the process writes, until it and its children have closed it. */
  InputStream output();

  /** What the process writes as errors. */
  InputStream error();

  /** A new size of the terminal; ignored without one. */
  void resize(int columns, int rows);

  /**
   * Sends a signal by its name without {@code SIG}, such as {@code INT}; unknown names are ignored.
   */
  void signal(String name);

  /** Waits for the end; the exit code, or 128 + the signal that ended it. */
  int waitFor() throws InterruptedException;

  /** Ends the process if it is still there, and frees everything. May be called often. */
  @Override
  void close();
}
