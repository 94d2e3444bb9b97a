package gpuaas.spi;

import gpuaas.spi.gang.Membership;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is asked of a provider.
 *
 * @param tag must be readable again through {@link Provider#list}
 * @param offer the offer that was chosen, with the number of GPUs wanted
 * @param node the node that was chosen, for a provider with {@link HasNodes}; empty otherwise
 * @param gpuIds the GPUs of that node that were chosen; empty: the provider chooses
 * @param image the image by name; empty: the provider's default environment
 * @param authorizedKeys OpenSSH public keys, for an instance that runs its own SSH server
 * @param environment variables for every process inside
 * @param hostName what the instance calls itself
 * @param launch how it is to begin
 * @param homeDisk the disk that becomes the login user's home folder, of this instance alone as
 *     long as it exists; what its image has in a home is put on a disk that is new, and on no
 *     other; only for a provider with {@link gpuaas.spi.disk.HasDisks}
 * @param membership its part in a gang; only for a provider with {@link gpuaas.spi.gang.HasGangs}
 */
public record InstanceRequest(
    OwnerTag tag,
    Offer offer,
    String node,
    List<String> gpuIds,
    String image,
    List<String> authorizedKeys,
    Map<String, String> environment,
    String hostName,
    Launch launch,
    Optional<String> homeDisk,
    Optional<Membership> membership) {

  public InstanceRequest {
    gpuIds = List.copyOf(gpuIds);
    authorizedKeys = List.copyOf(authorizedKeys);
    environment = Map.copyOf(environment);
  }

  /** A request for an instance by itself. */
  public InstanceRequest(
      OwnerTag tag,
      Offer offer,
      String node,
      List<String> gpuIds,
      String image,
      List<String> authorizedKeys,
      Map<String, String> environment,
      String hostName,
      Launch launch,
      Optional<String> homeDisk) {
    this(
        tag,
        offer,
        node,
        gpuIds,
        image,
        authorizedKeys,
        environment,
        hostName,
        launch,
        homeDisk,
        Optional.empty());
  }

  /** A request for an instance without a disk of its own. */
  public InstanceRequest(
      OwnerTag tag,
      Offer offer,
      String node,
      List<String> gpuIds,
      String image,
      List<String> authorizedKeys,
      Map<String, String> environment,
      String hostName,
      Launch launch) {
    this(
        tag,
        offer,
        node,
        gpuIds,
        image,
        authorizedKeys,
        environment,
        hostName,
        launch,
        Optional.empty());
  }

  /** A request for an instance that begins as the provider does it. */
  public InstanceRequest(
      OwnerTag tag,
      Offer offer,
      String node,
      List<String> gpuIds,
      String image,
      List<String> authorizedKeys,
      Map<String, String> environment,
      String hostName) {
    this(tag, offer, node, gpuIds, image, authorizedKeys, environment, hostName, Launch.PLAIN);
  }

  /** The same request, with a disk as the home folder. */
  public InstanceRequest withHomeDisk(String disk) {
    return new InstanceRequest(
        tag,
        offer,
        node,
        gpuIds,
        image,
        authorizedKeys,
        environment,
        hostName,
        launch,
        Optional.of(disk),
        membership);
  }

  /**
   * How an instance is to begin, where its provider leaves that open. A provider that cannot do
   * what is asked here rejects the request.
   *
   * @param mode what runs in it
   * @param diskGb room for files, at least; 0: what the provider gives when nothing is said
   * @param ports that are to be reached from outside, beside SSH
   * @param startCommand for a shell, run once when it starts; for {@link Mode#IMAGE} the arguments
   *     of what the image runs; empty: none
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

    /**
     * In words, what is asked for beside room for files; empty: nothing. For providers that cannot
     * do any of it.
     */
    public Optional<String> beyondDisk() {
      if (mode == Mode.IMAGE) {
        return Optional.of("what an image runs by itself");
      }
      if (!template.isEmpty()) {
        return Optional.of("a template");
      }
      if (!ports.isEmpty()) {
        return Optional.of("ports that are open to the world");
      }
      return startCommand.isEmpty() ? Optional.empty() : Optional.of("a start command");
    }
  }
}
