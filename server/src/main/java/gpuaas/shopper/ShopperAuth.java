package gpuaas.shopper;

import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Unauthenticated;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import gpuaas.http.Request;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import gpuaas.idp.Credentials;
import gpuaas.shopper.ShopperDialect.ShopperSettings;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/**
 * Who calls. Without a key in the settings anybody on this machine may, but no page of a browser:
 * those would come from anywhere. With one it must be shown, or an API key of one's own.
 */
final class ShopperAuth {

  private static final Duration KNOWN_FOR = Duration.ofSeconds(5);

  private final ShopperSettings settings;
  private final Identities identities;
  private final Credentials credentials;
  private volatile Known known = new Known(Optional.empty(), System.nanoTime());

  private record Known(Optional<Person> person, long untilNanos) {}

  ShopperAuth(ShopperSettings settings, Identities identities, Credentials credentials) {
    this.settings = settings;
    this.identities = identities;
    this.credentials = credentials;
  }

  Caller caller(Request request) {
    Optional<String> shown = shown(request);
    if (settings.key().isEmpty()) {
      refuseBrowsers(request);
      return shown.filter(Credentials::looksLikeOne).isPresent()
          ? known(shown.get(), request)
          : anybody(request);
    }
    String key = shown.orElseThrow(() -> new Refused(new Unauthenticated(Why.MISSING)));
    boolean same =
        MessageDigest.isEqual(
            key.getBytes(StandardCharsets.UTF_8),
            settings.key().get().getBytes(StandardCharsets.UTF_8));
    return same ? anybody(request) : known(key, request);
  }

  private Caller known(String credential, Request request) {
    return credentials.caller(credential, Optional.empty(), request.correlationId());
  }

  private static Optional<String> shown(Request request) {
    return request
        .header("x-api-key")
        .map(String::strip)
        .filter(key -> !key.isEmpty())
        .or(() ->
            request
                .header("authorization")
                .map(header -> header.strip().split("\\s+", 2))
                .filter(parts -> parts.length == 2 && parts[0].equalsIgnoreCase("Bearer"))
                .map(parts -> parts[1]));
  }

  /**
   * A page from elsewhere, or a name that was made to lead here, is not somebody on this machine.
   */
  private static void refuseBrowsers(Request request) {
    boolean fromPage =
        request.header("origin").isPresent()
            || request
                .header("sec-fetch-site")
                .filter(site -> !site.equals("none") && !site.equals("same-origin"))
                .isPresent();
    String host = request.header("host").orElse("localhost").toLowerCase(Locale.ROOT);
    if (fromPage || !isLoopback(host.replaceFirst(":[0-9]+$", ""))) {
      throw new Refused(
          new Refusal.Unreadable(
              "without shopper.key in the settings only programs on this machine may call, by"
                  + " localhost or 127.0.0.1, and no web pages"));
    }
  }

  private static boolean isLoopback(String host) {
    if (host.equals("localhost")) {
      return true;
    }
    return host.matches("127(\\.[0-9]{1,3}){3}|\\[::1\\]") && isLiteral(host);
  }

  private static boolean isLiteral(String host) {
    try {
      return InetAddress.ofLiteral(host.replaceAll("[\\[\\]]", "")).isLoopbackAddress();
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private Caller anybody(Request request) {
    Known now = known;
    if (now.person().isEmpty() || System.nanoTime() - now.untilNanos() > 0) {
      now =
          new Known(
              identities.findByName(settings.user()), System.nanoTime() + KNOWN_FOR.toNanos());
      known = now;
    }
    return now.person()
        .map(person -> person.caller(request.correlationId()))
        .orElseThrow(() -> new Refused(new Unauthenticated(Why.INVALID)));
  }
}
