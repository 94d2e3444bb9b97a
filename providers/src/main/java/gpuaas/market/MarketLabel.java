package gpuaas.market;

import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceRequest.Launch;
import gpuaas.spi.Money;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.ProviderException;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What we write on a rented machine: whose it is, and what was agreed, so that every later look can
 * tell whether the market keeps to it, even after a restart.
 *
 * @param microsPerHourMost the highest price of the whole machine, in millionths of a dollar
 * @param imagePorts for a machine that runs what its image runs, how many ports it was to open;
 *     empty: it has a shell
 */
public record MarketLabel(
    OwnerTag tag, int gpuCount, long microsPerHourMost, Optional<Integer> imagePorts) {

  private static final Pattern FORM =
      Pattern.compile(
          "([a-z0-9-]{1,40}/[0-9a-f-]{36}/[0-9]{1,6})/([0-9]{1,3})x([0-9]{1,15})(?:i([0-9]{1,3}))?");

  /**
   * The label of what is asked for.
   *
   * @throws ProviderException.OfferGone when more disk is asked for and has no price there
   * @throws ProviderException.Rejected when a disk of its own is asked for
   */
  public static MarketLabel of(InstanceRequest request) {
    if (request.homeDisk().isPresent()) {
      throw new ProviderException.Rejected("a market keeps no disks for its machines");
    }
    Launch launch = request.launch();
    Money agreed =
        request
            .offer()
            .pricePerHour(launch.diskGb())
            .orElseThrow(() ->
                new ProviderException.OfferGone(
                    "the offer has no " + launch.diskGb() + " GB of disk at a price that is told"));
    return new MarketLabel(
        request.tag(),
        request.offer().gpuCount(),
        agreed.micros(),
        launch.mode() == Launch.Mode.IMAGE ? Optional.of(launch.ports().size()) : Optional.empty());
  }

  /** Whether there is something to log in to. */
  public boolean hasShell() {
    return imagePorts.isEmpty();
  }

  /**
   * As it is written: {@code deployment/lease/attempt/COUNTxMICROS}, and {@code i} with the number
   * of its ports for a machine that runs what its image runs.
   */
  public String text() {
    return tag.text()
        + "/"
        + gpuCount
        + "x"
        + microsPerHourMost
        + imagePorts.map(count -> "i" + count).orElse("");
  }

  /** For markets whose names have no slashes. */
  public String dotted() {
    return text().replace('/', '.');
  }

  /** Reads both forms back; empty for anything else, since foreign labels are everybody's. */
  public static Optional<MarketLabel> parse(String text) {
    Matcher matcher = FORM.matcher(text.replace('.', '/'));
    if (!matcher.matches()) {
      return Optional.empty();
    }
    return OwnerTag.parse(matcher.group(1))
        .map(tag ->
            new MarketLabel(
                tag,
                Integer.parseInt(matcher.group(2)),
                Long.parseLong(matcher.group(3)),
                Optional.ofNullable(matcher.group(4)).map(Integer::valueOf)));
  }
}
