package gpuaas.local;

import gpuaas.local.image.registry.Reference;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.gang.Membership;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What an environment was asked to be; written to its folder before anything of it is made.
 *
 * @param id also the name of its folder, its cgroup and its container; holds the tag
 * @param createdAt ISO 8601
 * @param driver which driver made it
 * @param image {@code host} for the host's own programs; in full for one of a registry
 * @param gpuIds the GPUs that it holds, or the places without GPUs
 * @param variables for every process inside
 * @param homeDisk the disk that is its home folder; empty: none
 * @param askedImage the image of a registry that was asked for, when another stands for it; else
 *     empty
 * @param membership its part in a gang; null: none
 * @param imageDigest what an image of a registry turned out to be; empty: not known yet, or none
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
    String homeDisk,
    String askedImage,
    String imageDigest,
    @Nullable Membership membership) {

  private static final Pattern ID =
      Pattern.compile(
          "([a-z0-9-]{1,40})\\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\\.([0-9]{1,6})");

  public Environment {
    gpuIds = List.copyOf(gpuIds);
    variables = Map.copyOf(variables);
    // Written by a version that had no disks.
    homeDisk = Objects.requireNonNullElse(homeDisk, "");
    askedImage = Objects.requireNonNullElse(askedImage, "");
    imageDigest = Objects.requireNonNullElse(imageDigest, "");
  }

  /** The same, with what its image turned out to be. */
  Environment pinned(String digest) {
    return new Environment(
        id,
        createdAt,
        driver,
        image,
        hostName,
        gpuIds,
        milliCpus,
        memoryMib,
        pidsLimit,
        variables,
        homeDisk,
        askedImage,
        digest,
        membership);
  }

  /** The GPUs that it holds. */
  public List<String> gpus() {
    return gpuIds.stream().filter(id -> !CpuPlaces.isPlace(id)).toList();
  }

  /** Its part in a gang. */
  public Optional<Membership> gang() {
    return Optional.ofNullable(membership);
  }

  /** Whether its image is from a registry. */
  boolean hasRegistryImage() {
    return Reference.isText(image);
  }

  /** Whether it waits for its image. */
  boolean waitsForImage() {
    return hasRegistryImage() && imageDigest.isEmpty();
  }

  /** Says, for {@code /run/gpuaas/image}, which image was asked for and which it is. */
  public String imageWords() {
    String used = imageDigest.isEmpty() ? image : image + " " + imageDigest;
    return "asked: " + (askedImage.isEmpty() ? image : askedImage) + "\nused: " + used + "\n";
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
