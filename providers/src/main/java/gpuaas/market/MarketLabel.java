package gpuaas.market;

import gpuaas.spi.InstanceRequest;
import gpuaas.spi.OwnerTag;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What we write on a rented machine: whose it is, and what was agreed, so that every later look can
 * tell whether the market keeps to it, even after a restart.
 *
 * @param microsPerHourMost the highest price of the whole machine, in millionths of a dollar
 */
public record MarketLabel(OwnerTag tag, int gpuCount, long microsPerHourMost) {

  private static final Pattern FORM =
      Pattern.compile("([a-z0-9-]{1,40}/[0-9a-f-]{36}/[0-9]{1,6})/([0-9]{1,3})x([0-9]{1,15})");

  /** The label of what is asked for. */
  public static MarketLabel of(InstanceRequest request) {
    int count = request.offer().gpuCount();
    return new MarketLabel(
        request.tag(), count, request.offer().pricePerGpuHour().times(count).micros());
  }

  /** As it is written: {@code deployment/lease/attempt/COUNTxMICROS}. */
  public String text() {
    return tag.text() + "/" + gpuCount + "x" + microsPerHourMost;
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
                tag, Integer.parseInt(matcher.group(2)), Long.parseLong(matcher.group(3))));
  }
}
