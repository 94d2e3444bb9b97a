package gpuaas.session;

import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * That somebody is logged in, on one device.
 *
 * @param key what its tokens call it: our id, or that of another provider
 * @param lastSeenAt to about a minute
 * @param revokedAt before it was signed in: another provider went on with one that was ended here
 */
public record Session(
    UUID id,
    UUID person,
    Way provider,
    String key,
    Visitor visitor,
    Instant signedInAt,
    Instant lastSeenAt,
    Instant expiresAt,
    Optional<Instant> revokedAt) {

  /** How they proved who they are. */
  public enum Way {
    /** At the log-in page of a provider, ours or another. */
    OIDC,
    /** With a password that a program sent. */
    PASSWORD
  }

  /** Where somebody comes from, as far as their programs say. */
  public record Visitor(String address, String userAgent) {

    private static final int ADDRESS_LENGTH_MOST = 64;
    private static final int USER_AGENT_LENGTH_MOST = 200;

    /** Shortened to what is kept. */
    public Visitor {
      address = shortened(address, ADDRESS_LENGTH_MOST);
      userAgent = shortened(userAgent, USER_AGENT_LENGTH_MOST);
    }

    private static String shortened(String text, int most) {
      String plain = text.replaceAll("[^\\x20-\\x7e]", "?");
      return plain.substring(0, Math.min(most, plain.length()));
    }
  }

  /** True while what it gave may open. */
  public boolean isOpen(Instant now) {
    return revokedAt.filter(at -> !at.isBefore(signedInAt)).isEmpty() && now.isBefore(expiresAt);
  }
}
