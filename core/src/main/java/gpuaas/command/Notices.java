package gpuaas.command;

import gpuaas.provider.Providers;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.ProviderException;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is said inside an environment, so that whoever works in it sees it: a file for each kind of
 * news, which shells show. Best effort, beside the event that tells the same.
 */
public final class Notices {

  /** Arguments: kind, text. */
  private static final String LEAVE =
      """
      mkdir -p /run/gpuaas 2> /dev/null
      echo "$2" > "/run/gpuaas/$1-notice" || echo "$2" > "$HOME/$1-notice"
      """;

  /**
   * Arguments: minutes, text. The file in the home folder is what tools of other systems look for.
   */
  private static final String END =
      """
      rm -f "$HOME"/WARN_EXPIRES_IN_*MIN.txt
      echo "$2" > "$HOME/WARN_EXPIRES_IN_$1MIN.txt"
      """;

  private static final String NO_END =
      """
      rm -f "$HOME"/WARN_EXPIRES_IN_*MIN.txt "$HOME/end-notice" /run/gpuaas/end-notice
      """;

  /** Argument: kind. */
  private static final String CLEAR =
      """
      rm -f "/run/gpuaas/$1-notice" "$HOME/$1-notice"
      """;

  private final Providers providers;

  public Notices(Providers providers) {
    this.providers = providers;
  }

  /**
   * Says something; what was said of the same kind is replaced.
   *
   * @param kind a word that is the name of a file
   */
  public void leave(InstanceRef instance, String kind, String text) {
    run(instance, kind, List.of("sh", "-c", LEAVE, "notice", kind, text));
  }

  /** Takes back what was said of a kind. */
  public void clear(InstanceRef instance, String kind) {
    run(instance, kind, List.of("sh", "-c", CLEAR, "notice", kind));
  }

  /** Says that it ends in so many minutes. */
  public void leaveEnd(InstanceRef instance, long minutes, Instant end) {
    String text = "This environment ends at " + end;
    String script = LEAVE + "set -- " + minutes + " \"$2\"\n" + END;
    run(instance, "end", List.of("sh", "-c", script, "notice", "end", text));
  }

  /** Takes back what was said of its end. */
  public void clearEnd(InstanceRef instance) {
    run(instance, "end", List.of("sh", "-c", NO_END));
  }

  private void run(InstanceRef instance, String kind, List<String> command) {
    providers
        .ability(instance, HasExec.class)
        .ifPresent(exec -> {
          var _ =
              Thread.ofVirtual().name(kind + "-notice").start(() -> run(exec, instance, command));
        });
  }

  private static void run(HasExec exec, InstanceRef instance, List<String> command) {
    ExecRequest request = new ExecRequest(command, Optional.empty(), Map.of());
    try (ExecChannel channel = exec.exec(instance, request)) {
      channel.input().close();
      var _ = channel.waitFor();
    } catch (ProviderException | IOException e) {
      // It has been told by the event.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
