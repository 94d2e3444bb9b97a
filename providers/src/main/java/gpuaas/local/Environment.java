package gpuaas.local;

import gpuaas.spi.OwnerTag;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an environment was asked to be; written to its folder before anything of it is made.
 *
 * @param id also the name of its folder, its cgroup and its container; holds the tag
 * @param createdAt ISO 8601
 * @param driver which driver made it
 * @param image empty: the host's own programs
 * @param gpuIds the GPUs that it holds
 * @param variables for every process inside
 * @param homeDisk the disk that is its home folder; empty: none
 */
public record Environment(
    String id,
    String createdAt,
    String driver,
    String image,
    String hostName,
    List<String> gpuIds,
    int milliCpus,
    int memoryMib,
    int pidsLimit,
    Map<String, String> variables,
    String homeDisk) {

  private static final Pattern ID =
      Pattern.compile(
          "([a-z0-9-]{1,40})\\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\.([0-9]{1,6})");

  public Environment {
    gpuIds = List.copyOf(gpuIds);
    variables = Map.copyOf(variables);
    // Written by a version that had no disks.
    homeDisk = Objects.requireNonNullElse(homeDisk, "");
  }

  /**
   * The id for a tag. The id <em>is</em> the tag, so that making the folder is what writes the tag
   * down: there is no instant at which something exists that does not say whose it is.
   */
  public static String idFor(OwnerTag tag) {
    return tag.deployment() + "." + tag.lease() + "." + tag.attempt();
  }

  /** The tag in an id; empty for a name that is not an id of ours. */
  public static Optional<OwnerTag> tagOf(String id) {
    Matcher matcher = ID.matcher(id);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    return Optional.of(
        new OwnerTag(
            matcher.group(1),
            UUID.fromString(matcher.group(2)),
            Integer.parseInt(matcher.group(3))));
  }
}
