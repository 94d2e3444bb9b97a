package gpuaas.proxy;

import gpuaas.proxy.HeadFields.Field;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What a request shows to be let into a lease: the token in its address, in its {@code
 * Authorization}, or in the cookie that an address with it was answered with.
 */
record Credentials(Optional<String> inAddress, Optional<String> inField, List<String> inCookies) {

  /** All cookies of ours begin so, and none of them goes into a lease. */
  static final String COOKIE = "gpuaas-";

  private static final String PARAMETER = "token=";
  private static final Pattern FIELD = Pattern.compile("(?i)(?:bearer|token) +([\\x21-\\x7e]+)");

  /**
   * Finds them.
   *
   * @param hostName of the lease
   */
  static Credentials of(RequestHead request, String hostName) {
    Optional<String> address =
        Arrays.stream(request.query().split("&", 1000))
            .filter(part -> part.startsWith(PARAMETER))
            .map(part -> part.substring(PARAMETER.length()))
            .findFirst();
    Optional<String> field =
        request
            .fields()
            .first("authorization")
            .map(FIELD::matcher)
            .filter(Matcher::matches)
            .map(match -> match.group(1));
    String name = cookieName(hostName) + "=";
    List<String> cookies =
        cookies(request.fields())
            .filter(cookie -> cookie.startsWith(name))
            .map(cookie -> cookie.substring(name.length()))
            .toList();
    return new Credentials(address, field, cookies);
  }

  static String cookieName(String hostName) {
    return COOKIE + hostName;
  }

  private static java.util.stream.Stream<String> cookies(HeadFields fields) {
    return fields.all("cookie").stream()
        .flatMap(line -> Arrays.stream(line.split(";", 1000)))
        .map(String::strip)
        .filter(cookie -> !cookie.isEmpty());
  }

  boolean isShown() {
    return inAddress.isPresent() || inField.isPresent() || !inCookies.isEmpty();
  }

  boolean open(String token) {
    return isInAddress(token) || isInField(token) || inCookies.stream().anyMatch(equal(token));
  }

  boolean isInAddress(String token) {
    return inAddress.filter(equal(token)).isPresent();
  }

  boolean isInField(String token) {
    return inField.filter(equal(token)).isPresent();
  }

  /** Takes as long whatever is wrong. */
  private static java.util.function.Predicate<String> equal(String token) {
    byte[] right = token.getBytes(StandardCharsets.UTF_8);
    return shown -> MessageDigest.isEqual(shown.getBytes(StandardCharsets.UTF_8), right);
  }

  /** The query without the token. */
  static String withoutToken(String query) {
    return Arrays.stream(query.split("&", 1000))
        .filter(part -> !part.startsWith(PARAMETER))
        .collect(Collectors.joining("&"));
  }

  /** Replaces the cookies by those that are not ours, of this lease or of another. */
  static List<Field> withoutOurCookies(List<Field> fields) {
    List<Field> kept = new ArrayList<>();
    for (Field field : fields) {
      if (!field.is("cookie")) {
        kept.add(field);
        continue;
      }
      String others =
          cookies(new HeadFields(List.of(field)))
              .filter(cookie -> !cookie.startsWith(COOKIE))
              .collect(Collectors.joining("; "));
      if (!others.isEmpty()) {
        kept.add(new Field(field.name(), others));
      }
    }
    return kept;
  }

  /** The cookie that stands for the token from here on. */
  static Field cookie(String hostName, String token, String path, boolean secure) {
    return new Field(
        "Set-Cookie",
        cookieName(hostName)
            + "="
            + token
            + "; Path="
            + path
            + "; HttpOnly; SameSite=Lax"
            + (secure ? "; Secure" : ""));
  }
}
