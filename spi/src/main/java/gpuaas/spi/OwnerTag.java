package gpuaas.spi;

import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Says whose an instance is. Written on every instance at the provider, so that it can be found
 * again after a lost reply, and so that nothing is ever running that nobody knows.
 *
 * @param deployment the control plane that asked; lower-case letters, digits and dashes
 * @param lease the lease that it was asked for
 * @param attempt which try of that lease; each try has a tag of its own
 */
public record OwnerTag(String deployment, UUID lease, int attempt) {

  private static final Pattern FORM =
      Pattern.compile(
          "([a-z0-9-]{1,40})/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/([0-9]{1,6})");

  public OwnerTag {
    if (!deployment.matches("[a-z0-9-]{1,40}")) {
      throw new IllegalArgumentException(
          "a deployment id has lower-case letters, digits and dashes: " + deployment);
    }
  }

  /** The form written at the provider: {@code deployment/lease/attempt}. */
  public String text() {
    return deployment + "/" + lease + "/" + attempt;
  }

  /** Reads {@link #text()} back; empty for anything else, since foreign labels are everybody's. */
  public static Optional<OwnerTag> parse(String text) {
    Matcher matcher = FORM.matcher(text);
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
