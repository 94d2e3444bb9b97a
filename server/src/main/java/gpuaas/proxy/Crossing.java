package gpuaas.proxy;

import gpuaas.proxy.HeadFields.Field;
import gpuaas.proxy.ProxyAddresses.Where;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What of heads crosses between a browser and a lease, and how. A lease is not to be told our
 * secrets, and is not to reach beyond itself in the browser.
 *
 * @param strips true: what listens there does not know its prefix
 * @param keepsToken true: what listens there asks for the token itself
 * @param secure whether browsers come by HTTPS
 * @param sharesOrigin true: other leases are behind the same origin
 * @param client the address that the request came from
 */
record Crossing(
    Where where,
    boolean strips,
    boolean keepsToken,
    boolean secure,
    boolean sharesOrigin,
    String client) {

  /** Said by us alone. */
  private static final Set<String> OURS =
      Set.of(
          "expect",
          "content-length",
          "forwarded",
          "x-real-ip",
          "x-forwarded-for",
          "x-forwarded-host",
          "x-forwarded-port",
          "x-forwarded-prefix",
          "x-forwarded-proto");

  /** Would touch what is of others at the same origin, or at all. */
  private static final Set<String> BEYOND =
      Set.of("strict-transport-security", "alt-svc", "content-length", "connection");

  private static final Set<String> BEYOND_ITS_PATH =
      Set.of("clear-site-data", "service-worker-allowed");

  /** The head of a request as the lease sees it. */
  String inwards(RequestHead request, Credentials shown, String token) {
    List<Field> fields = new ArrayList<>();
    for (Field field : Credentials.withoutOurCookies(request.fields().endToEnd())) {
      boolean ours = OURS.contains(field.name().toLowerCase(Locale.ROOT));
      boolean key = field.is("authorization") && shown.isInField(token) && !keepsToken;
      if (!ours && !key) {
        fields.add(field);
      }
    }
    switch (request.body()) {
      case Framing.Length(long bytes) ->
          fields.add(new Field("Content-Length", Long.toString(bytes)));
      case Framing.Chunked _ -> fields.add(new Field("Transfer-Encoding", "chunked"));
      case Framing.None _ -> {
        if (!request.fields().all("content-length").isEmpty()) {
          fields.add(new Field("Content-Length", "0"));
        }
      }
      case Framing.UntilEnd _ -> throw new IllegalStateException("no request ends so");
    }
    fields.add(new Field("X-Forwarded-For", client));
    fields.add(new Field("X-Real-IP", client));
    fields.add(new Field("X-Forwarded-Proto", secure ? "https" : "http"));
    fields.add(new Field("X-Forwarded-Host", request.host()));
    if (strips && !where.prefix().isEmpty()) {
      fields.add(new Field("X-Forwarded-Prefix", where.prefix()));
    }
    if (request.isUpgrade()) {
      fields.add(new Field("Upgrade", "websocket"));
      fields.add(new Field("Connection", "Upgrade"));
    } else {
      fields.add(new Field("Connection", "close"));
    }
    String path = strips ? where.rest() : request.path();
    String query = keepsToken ? request.query() : Credentials.withoutToken(request.query());
    String target = (path.isEmpty() ? "/" : path) + (query.isEmpty() ? "" : "?" + query);
    return HeadFields.written(request.method() + " " + target + " HTTP/1.1", fields);
  }

  /** The fields of an answer as the browser sees them, without those that say how it ends. */
  List<Field> outwards(ResponseHead response) {
    List<Field> fields = new ArrayList<>();
    for (Field field : response.fields().endToEnd()) {
      String name = field.name().toLowerCase(Locale.ROOT);
      if (BEYOND.contains(name) || (sharesOrigin && BEYOND_ITS_PATH.contains(name))) {
        continue;
      }
      switch (name) {
        case "set-cookie" ->
            cookie(field.value()).ifPresent(c -> fields.add(new Field(field.name(), c)));
        case "location" -> fields.add(new Field(field.name(), location(field.value())));
        default -> fields.add(field);
      }
    }
    return fields;
  }

  /** A cookie of this lease only; none that could be taken for ours. */
  private Optional<String> cookie(String value) {
    String[] parts = value.split(";", 100);
    if (parts[0].strip().startsWith(Credentials.COOKIE)) {
      return Optional.empty();
    }
    StringBuilder kept = new StringBuilder(parts[0].strip());
    String path = "";
    for (String part : Arrays.asList(parts).subList(1, parts.length)) {
      String attribute = part.strip();
      String lower = attribute.toLowerCase(Locale.ROOT);
      if (lower.startsWith("path=")) {
        path = attribute.substring("path=".length());
      } else if (!lower.startsWith("domain")) {
        kept.append("; ").append(attribute);
      }
    }
    if (!sharesOrigin) {
      return Optional.of(path.isEmpty() ? kept.toString() : kept + "; Path=" + path);
    }
    String own = where.prefix() + "/";
    if (strips && path.startsWith("/")) {
      path = where.prefix() + path;
    }
    boolean inside = (path + "/").startsWith(own) && !path.contains("..");
    return Optional.of(kept + "; Path=" + (inside ? path : own));
  }

  private String location(String value) {
    return strips && value.startsWith("/") && !value.startsWith("//")
        ? where.prefix() + value
        : value;
  }
}
