package gpuaas.base;

import java.util.UUID;

/**
 * What somebody came with. What it opened and keeps open closes when it opens nothing any more; the
 * secret itself is not in here.
 */
public sealed interface Credential {

  /** The log-in that a token belongs to, by its key. */
  record Session(String key) implements Credential {}

  /** An API key. */
  record ApiKey(UUID id) implements Credential {}

  /** The key of a service account that a token was got by. */
  record AccountKey(String keyId) implements Credential {}

  /** As text, for {@link #of}. */
  default String text() {
    return switch (this) {
      case Session(String key) -> "session " + key;
      case ApiKey(UUID id) -> "api-key " + id;
      case AccountKey(String keyId) -> "account-key " + keyId;
    };
  }

  /** What {@link #text} wrote. */
  static Credential of(String text) {
    String[] parts = text.split(" ", 2);
    return switch (parts[0]) {
      case "session" -> new Session(parts[1]);
      case "api-key" -> new ApiKey(UUID.fromString(parts[1]));
      case "account-key" -> new AccountKey(parts[1]);
      default -> throw new IllegalArgumentException("not a credential: " + parts[0]);
    };
  }
}
