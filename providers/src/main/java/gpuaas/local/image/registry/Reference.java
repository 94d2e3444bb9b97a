package gpuaas.local.image.registry;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of an image in a registry, by the rules that everybody knows: without a registry it is
 * Docker's, whose images of one word are in {@code library/}.
 *
 * @param registry a host, with a port if it has one
 * @param repository the path of the image there
 * @param tag empty: none was named
 * @param digest {@code sha256:…}; empty: none was named
 */
public record Reference(String registry, String repository, String tag, String digest) {

  private static final String DOCKER = "docker.io";
  private static final int MOST_CHARACTERS = 512;
  private static final int MOST_REPOSITORY = 255;

  private static final String LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
  private static final Pattern REGISTRY =
      Pattern.compile("(" + LABEL + "(?:\\." + LABEL + "){0,20})(?::([0-9]{1,5}))?");
  private static final String WORD = "[a-z0-9]{1,128}(?:(?:[._]|__|-{1,8})[a-z0-9]{1,128}){0,32}";
  private static final Pattern REPOSITORY = Pattern.compile(WORD + "(?:/" + WORD + "){0,16}");
  private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}");
  private static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");

  /**
   * Reads a name.
   *
   * @throws IllegalArgumentException with a sentence, when it can be no image's
   */
  public static Reference parse(String text) {
    if (text.length() > MOST_CHARACTERS) {
      throw new IllegalArgumentException(
          "the name of an image has at most " + MOST_CHARACTERS + " characters");
    }
    String rest = text;
    String digest = "";
    int at = rest.indexOf('@');
    if (at >= 0) {
      digest = require(DIGEST, rest.substring(at + 1), text);
      rest = rest.substring(0, at);
    }
    String tag = "";
    int colon = rest.lastIndexOf(':');
    if (colon > rest.lastIndexOf('/')) {
      tag = require(TAG, rest.substring(colon + 1), text);
      rest = rest.substring(0, colon);
    }
    int slash = rest.indexOf('/');
    String first = slash < 0 ? "" : rest.substring(0, slash);
    boolean named = first.contains(".") || first.contains(":") || first.equals("localhost");
    String registry = named ? requireRegistry(first, text) : DOCKER;
    String repository = named ? rest.substring(slash + 1) : rest;
    if (registry.equals("index.docker.io")) {
      registry = DOCKER;
    }
    if (registry.equals(DOCKER) && !repository.contains("/")) {
      repository = "library/" + repository;
    }
    require(REPOSITORY, repository, text);
    if (repository.length() > MOST_REPOSITORY) {
      throw bad(text);
    }
    return new Reference(registry, repository, tag, digest);
  }

  /** A registry as a setting names it, or {@link IllegalArgumentException}. */
  static String requireRegistry(String registry, String text) {
    Matcher matcher = REGISTRY.matcher(registry);
    if (!matcher.matches()) {
      throw bad(text);
    }
    String port = matcher.group(2);
    if (port != null && (Integer.parseInt(port) == 0 || Integer.parseInt(port) > 65_535)) {
      throw bad(text);
    }
    return registry.toLowerCase(Locale.ROOT);
  }

  private static String require(Pattern pattern, String part, String text) {
    if (!pattern.matcher(part).matches()) {
      throw bad(text);
    }
    return part;
  }

  private static IllegalArgumentException bad(String text) {
    String shown = text.replaceAll("[^ -~]", "?");
    return new IllegalArgumentException(
        "\""
            + shown.substring(0, Math.min(shown.length(), 100))
            + "\" is no image: neither one of this machine, nor a name in a registry such as"
            + " pytorch/pytorch:2.8.0-cuda12.9-cudnn9-devel or registry.example.com/team/image:1");
  }

  /** The registry's host, without a port. */
  String host() {
    int colon = registry.indexOf(':');
    return colon < 0 ? registry : registry.substring(0, colon);
  }

  /** The same image by what it is, whatever its tag may mean later. */
  Reference at(String pinned) {
    return new Reference(registry, repository, "", pinned);
  }

  /** As skopeo takes it, which wants either a tag or a digest. */
  String address() {
    String end = digest.isEmpty() ? ":" + (tag.isEmpty() ? "latest" : tag) : "@" + digest;
    return "docker://" + registry + "/" + repository + end;
  }

  /** In full; holds a slash, which no image of this machine's own has in its name. */
  public String text() {
    String shownTag = tag.isEmpty() && digest.isEmpty() ? "latest" : tag;
    return registry
        + "/"
        + repository
        + (shownTag.isEmpty() ? "" : ":" + shownTag)
        + (digest.isEmpty() ? "" : "@" + digest);
  }

  /** Whether an image's name is the {@link #text} of one in a registry. */
  public static boolean isText(String image) {
    return image.indexOf('/') >= 0;
  }
}
