package gpuaas.gpudev.login;

import gpuaas.gpudev.login.AwsSignature.Malformed;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * What a request signed in advance may be: GetCallerIdentity, in the one shape in which clients
 * send it, at one of the addresses allowed. All else is refused, known to be harmful or not.
 */
final class PresignedRules {

  private static final int URL_LENGTH_MOST = 32 * 1024;
  private static final int BODY_LENGTH_MOST = 1024;
  private static final int HEADERS_MOST = 20;
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9-]{1,64}");
  private static final Pattern VALUE = Pattern.compile("[ -~]{0,16384}");
  private static final Set<String> PARAMETERS =
      Set.of(
          "Action",
          "Version",
          "X-Amz-Algorithm",
          "X-Amz-Credential",
          "X-Amz-Date",
          "X-Amz-Expires",
          "X-Amz-Security-Token",
          "X-Amz-Signature",
          "X-Amz-SignedHeaders");
  // Accept is missing on purpose: STS answers in other forms when asked to.
  private static final Set<String> HEADERS =
      Set.of(
          "amz-sdk-invocation-id",
          "amz-sdk-request",
          "authorization",
          "content-length",
          "content-type",
          "host",
          "user-agent",
          "x-amz-content-sha256",
          "x-amz-date",
          "x-amz-security-token",
          "x-amz-user-agent",
          LogInSettings.Presigned.SERVER_HEADER.toLowerCase(Locale.ROOT));

  private final Map<String, URI> allowed = new TreeMap<>();

  PresignedRules(Set<String> hosts, Optional<URI> stsEndpoint) {
    hosts.forEach(host -> allow(URI.create("https://" + host)));
    stsEndpoint.ifPresent(this::allow);
  }

  private void allow(URI endpoint) {
    allowed.put(origin(endpoint), endpoint);
  }

  /**
   * A request that may be sent.
   *
   * @param headers by names in lower case
   */
  record Checked(
      String method,
      URI address,
      Map<String, String> headers,
      String body,
      AwsSignature signature) {

    /** What is signed, and what tells how to read it; the rest is not needed. */
    Map<String, String> toForward() {
      Map<String, String> forward = new TreeMap<>(headers);
      forward
          .keySet()
          .removeIf(name ->
              !signature.signedHeaders().contains(name)
                  && !name.equals("authorization")
                  && !name.equals("content-type"));
      forward.remove("host"); // both follow from the address and the body
      forward.remove("content-length");
      return forward;
    }
  }

  Checked checked(PresignedRequest request) throws Malformed {
    boolean post = request.method().equals("POST");
    if (!post && !request.method().equals("GET")) {
      throw new Malformed("the method must be GET or POST");
    }
    if (request.body().length() > BODY_LENGTH_MOST || (!post && !request.body().isEmpty())) {
      throw new Malformed("the body must be empty, or of a POST " + BODY_LENGTH_MOST + " at most");
    }
    URI address = address(request.url());
    Map<String, String> headers = headers(request.headers());
    if (!headers
        .getOrDefault("host", address.getRawAuthority())
        .equals(address.getRawAuthority())) {
      throw new Malformed("the header Host is not the host of the URL");
    }
    String length = String.valueOf(request.body().length());
    if (!headers.getOrDefault("content-length", length).equals(length)) {
      throw new Malformed("the header Content-Length is not the length of the body");
    }
    if (!request.body().isEmpty()
        && !StsParameters.isForm(headers.getOrDefault("content-type", ""))) {
      throw new Malformed("a body must be of the type application/x-www-form-urlencoded");
    }
    Map<String, List<String>> query =
        StsParameters.decoded(Optional.ofNullable(address.getRawQuery()).orElse(""));
    requireIdentity(query, StsParameters.decoded(request.body()));
    AwsSignature signature =
        AwsSignature.of(query, headers).orElseThrow(() -> new Malformed("it is not signed"));
    headers.put("host", address.getRawAuthority());
    if (signature.valuesOf(headers).isEmpty()) {
      throw new Malformed("a header that is signed is missing");
    }
    return new Checked(request.method(), address, headers, request.body(), signature);
  }

  /** The visitor's URL, if it leads to where the settings allow. */
  private URI address(String url) throws Malformed {
    if (url.length() > URL_LENGTH_MOST) {
      throw new Malformed("the URL is too long");
    }
    URI given;
    try {
      given = new URI(url);
    } catch (URISyntaxException e) {
      throw new Malformed("the URL cannot be read");
    }
    URI endpoint = given.getHost() == null ? null : allowed.get(origin(given));
    boolean plain = given.getRawUserInfo() == null && given.getRawFragment() == null;
    if (endpoint == null || !plain || !bare(given).equals(bare(endpoint))) {
      throw new Malformed("the URL does not lead to an STS that this server asks");
    }
    // Made of what the settings say: nothing of the visitor's but the query and a last slash.
    String path = Optional.ofNullable(given.getRawPath()).orElse("");
    String query = Optional.ofNullable(given.getRawQuery()).map(text -> "?" + text).orElse("");
    return URI.create(endpoint.getScheme() + "://" + endpoint.getRawAuthority() + path + query);
  }

  private static String origin(URI uri) {
    String scheme = Optional.ofNullable(uri.getScheme()).orElse("");
    String host = uri.getHost().toLowerCase(Locale.ROOT);
    int usual = scheme.equals("https") ? 443 : 80;
    return scheme + "://" + host + ":" + (uri.getPort() < 0 ? usual : uri.getPort());
  }

  /** The path without the slash at its end. */
  private static String bare(URI uri) {
    String path = Optional.ofNullable(uri.getRawPath()).orElse("");
    return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
  }

  private static Map<String, String> headers(Map<String, String> given) throws Malformed {
    if (given.size() > HEADERS_MOST) {
      throw new Malformed("there are more than " + HEADERS_MOST + " headers");
    }
    Map<String, String> headers = new LinkedHashMap<>();
    for (Map.Entry<String, String> header : given.entrySet()) {
      if (!NAME.matcher(header.getKey()).matches() || !VALUE.matcher(header.getValue()).matches()) {
        throw new Malformed("a header's name or value has characters that do not belong there");
      }
      String name = header.getKey().toLowerCase(Locale.ROOT);
      if (!HEADERS.contains(name)) {
        throw new Malformed("the header " + name + " is not one to send to STS: leave it out");
      }
      if (headers.put(name, header.getValue()) != null) {
        throw new Malformed("the header " + name + " is given twice");
      }
    }
    return headers;
  }

  /** The action, once, and beside it nothing that this server does not know. */
  private static void requireIdentity(
      Map<String, List<String>> query, Map<String, List<String>> form) throws Malformed {
    for (Map<String, List<String>> part : List.of(query, form)) {
      for (Map.Entry<String, List<String>> parameter : part.entrySet()) {
        if (!PARAMETERS.contains(parameter.getKey()) || parameter.getValue().size() != 1) {
          throw new Malformed("it has a parameter that does not belong there, or one twice");
        }
      }
    }
    if (query.keySet().stream().anyMatch(form::containsKey)) {
      throw new Malformed("it has a parameter twice");
    }
    Optional<String> version = StsParameters.only("Version", query, form);
    if (!StsParameters.only("Action", query, form).equals(Optional.of("GetCallerIdentity"))
        || !version.equals(Optional.of("2011-06-15"))) {
      throw new Malformed("it must be GetCallerIdentity of version 2011-06-15");
    }
  }
}
