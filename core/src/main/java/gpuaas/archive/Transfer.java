package gpuaas.archive;

import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.ProviderException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Files on their way out of an environment or into one, on a thread of its own. Nobody waits for
 * it: who wants to know looks again.
 */
final class Transfer {

  private static final int COMPLAINT_BYTES = 400;

  private final HasExec exec;
  private final InstanceRef instance;
  private final AtomicReference<@Nullable ExecChannel> open = new AtomicReference<>();
  private final AtomicReference<@Nullable Outcome> outcome = new AtomicReference<>();
  private volatile boolean cancelled;

  private Transfer(HasExec exec, InstanceRef instance) {
    this.exec = exec;
    this.instance = instance;
  }

  /** How it ended. */
  sealed interface Outcome {
    /** All is where it should be, and written down. */
    record Done() implements Outcome {}

    /** It may work when it is tried again. */
    record Failed(String why) implements Outcome {}

    /** It would fail again. */
    record Hopeless(String why) implements Outcome {}
  }

  /** What is to be done over a channel, and what it gives. */
  @FunctionalInterface
  interface Work {
    Outcome over(Transfer transfer) throws IOException, InterruptedException;
  }

  static Transfer begin(HasExec exec, InstanceRef instance, String what, Work work) {
    Transfer transfer = new Transfer(exec, instance);
    var _ = Thread.ofVirtual().name(what).start(() -> transfer.run(work));
    return transfer;
  }

  private void run(Work work) {
    outcome.set(outcome(() -> work.over(this)));
  }

  private static Outcome outcome(Callable<Outcome> work) {
    try {
      return work.call();
    } catch (ArchiveFolder.TooMuch no) {
      return new Outcome.Hopeless(String.valueOf(no.getMessage()));
    } catch (ProviderException.Rejected no) {
      return new Outcome.Hopeless("its machine refuses: " + no.getMessage());
    } catch (Exception | Error e) {
      return new Outcome.Failed(e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }

  /** Empty: it goes on. */
  Optional<Outcome> outcome() {
    return Optional.ofNullable(outcome.get());
  }

  /** Ends it; whatever it has done stays undone. */
  void cancel() {
    cancelled = true;
    ExecChannel channel = open.get();
    if (channel != null) {
      channel.close();
    }
  }

  /** What goes through the pipes of a process. */
  @FunctionalInterface
  interface Pipes<T> {
    T use(ExecChannel channel) throws IOException;
  }

  /**
   * Runs a line of shell in the home folder.
   *
   * @param fine exit codes that mean it worked
   * @return what went through its pipes
   * @throws IOException with what it complained of, when it ended with another code
   */
  <T> T shell(String line, List<Integer> fine, Pipes<T> pipes)
      throws IOException, InterruptedException {
    ExecRequest request = new ExecRequest(List.of("sh", "-c", line), Optional.empty(), Map.of());
    try (ExecChannel channel = exec.exec(instance, request)) {
      open.set(channel);
      if (cancelled) {
        throw new IOException("cancelled");
      }
      StringBuilder complaint = new StringBuilder();
      Thread listener = Thread.ofVirtual().start(() -> listen(channel.error(), complaint));
      T result = pipes.use(channel);
      int code = channel.waitFor();
      listener.join();
      if (!fine.contains(code) || cancelled) {
        throw new IOException("tar ended with " + code + ": " + complaint);
      }
      return result;
    } finally {
      open.set(null);
    }
  }

  /** All of it is read, so that nobody has to wait for us; the beginning is kept. */
  private static void listen(InputStream error, StringBuilder complaint) {
    try {
      complaint.append(
          new String(error.readNBytes(COMPLAINT_BYTES), StandardCharsets.UTF_8).strip());
      error.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // What was heard is enough.
    }
  }
}
