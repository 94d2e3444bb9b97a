package gpuaas.gpudev.login;

import java.util.Optional;

/** Names from elsewhere, as users here may be called. */
final class Usernames {

  private static final int LENGTH_MOST = 255;

  private Usernames() {}

  /** Other characters become hyphens, and what is too long is cut; empty when nothing is left. */
  static Optional<String> clean(String name) {
    String start = name.substring(0, Math.min(name.length(), LENGTH_MOST));
    return Optional.of(start.replaceAll("[^A-Za-z0-9._-]", "-")).filter(text -> !text.isEmpty());
  }
}
