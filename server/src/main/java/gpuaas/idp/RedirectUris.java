package gpuaas.idp;

import java.util.HashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where people may be sent with a code: to programs on their own machine, at any port and path, and
 * to addresses that are named in the settings, letter by letter.
 */
public final class RedirectUris {

  private static final int LENGTH_MOST = 2000;
  private static final Pattern LOOPBACK =
      Pattern.compile(
          "http://(127\\.0\\.0\\.1|localhost|\\[::1])(?::([0-9]{1,5}))?"
              + "(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*+)?"
              + "(?:\\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*+)?");

  private final Set<String> named;

  public RedirectUris(Iterable<String> named) {
    Set<String> all = new HashSet<>();
    named.forEach(all::add);
    this.named = Set.copyOf(all);
  }

  /** Those that are named in the settings: the addresses of applications that are trusted. */
  public Set<String> named() {
    return named;
  }

  /** True for an address that a code may be sent to. */
  public boolean allows(String uri) {
    if (uri.length() > LENGTH_MOST) {
      return false;
    }
    if (named.contains(uri)) {
      return true;
    }
    Matcher matcher = LOOPBACK.matcher(uri);
    return matcher.matches()
        && (matcher.group(2) == null || Integer.parseInt(matcher.group(2)) <= 65_535);
  }
}
