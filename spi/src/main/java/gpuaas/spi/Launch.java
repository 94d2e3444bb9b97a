package gpuaas.spi;

import java.util.List;

/**
 * How an instance is to begin, where its provider leaves that open. A provider that cannot do what
 * is asked here rejects the request.
 *
 * @param mode what runs in it
 * @param diskGb room for files; 0: what the provider gives when nothing is said
 * @param ports that are to be reached from outside, beside SSH
 * @param startCommand for a shell, run once when it starts; empty: none
 * @param template the provider's id of a template to begin from; empty: none
 */
public record Launch(
    Mode mode, int diskGb, List<Integer> ports, String startCommand, String template) {

  /** As the provider does it. */
  public static final Launch PLAIN = new Launch(Mode.SHELL, 0, List.of(), "", "");

  /** What runs in an instance. */
  public enum Mode {
    /** Something to log in to; what the image would run by itself does not run. */
    SHELL,
    /** What the image runs by itself. */
    IMAGE
  }

  public Launch {
    ports = List.copyOf(ports);
  }
}
