package gpuaas.http;

import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * What came in.
 *
 * @param path as it was sent, without the query
 * @param pathParameters by the names in the route
 * @param headers by name in lower case; the first of each
 * @param query parameters, each with all its values
 */
public record Request(
    String method,
    String path,
    Map<String, String> pathParameters,
    Map<String, String> headers,
    Map<String, List<String>> query,
    String body,
    String remoteAddress,
    String correlationId,
    Optional<Caller> knownCaller) {

  public Request {
    pathParameters = Map.copyOf(pathParameters);
    headers = Map.copyOf(headers);
    query = Map.copyOf(query);
  }

  /** A header, by its name in any case. */
  public Optional<String> header(String name) {
    return Optional.ofNullable(headers.get(name.toLowerCase(Locale.ROOT)));
  }

  /** A query parameter's first value. */
  public Optional<String> query(String name) {
    return Optional.ofNullable(query.get(name))
        .filter(values -> !values.isEmpty())
        .map(List::getFirst);
  }

  /** A whole number from the query, within bounds. */
  public int queryInteger(String name, int fallback, int least, int most) {
    Optional<String> text = query(name);
    if (text.isEmpty()) {
      return fallback;
    }
    try {
      int value = Integer.parseInt(text.get());
      if (value >= least && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      // refused below
    }
    throw new Refused(
        Refusal.Invalid.field(name, "must be a whole number from " + least + " to " + most));
  }

  /** The cursor in the query, when cursors are ids. */
  public Optional<UUID> cursorId() {
    return query("cursor")
        .map(text -> {
          try {
            return UUID.fromString(text);
          } catch (IllegalArgumentException e) {
            throw new Refused(Refusal.Invalid.field("cursor", "is not a cursor that we gave out"));
          }
        });
  }

  /** An id in the query. */
  public Optional<UUID> queryId(String name) {
    return query(name)
        .map(text -> {
          try {
            return UUID.fromString(text);
          } catch (IllegalArgumentException e) {
            throw new Refused(Refusal.Invalid.field(name, "is not an id"));
          }
        });
  }

  /** A path parameter that is an id; anything else names nothing that exists. */
  public UUID id(String name, Refusal.Kind kind) {
    String text = pathParameters.getOrDefault(name, "");
    try {
      UUID id = UUID.fromString(text);
      if (id.toString().equalsIgnoreCase(text)) {
        return id;
      }
    } catch (IllegalArgumentException e) {
      // refused below
    }
    throw new Refused(
        new Refusal.NotFound(kind, text.length() > 100 ? text.substring(0, 100) : text));
  }

  /** The caller of a route that needs one. */
  public Caller caller() {
    return knownCaller.orElseThrow(
        () -> new IllegalStateException("a public route asked for its caller"));
  }

  /** The body as a JSON object, to be read field by field. */
  public Fields fields() {
    return Fields.of(body);
  }

  /** The same for a body that may be left out. */
  public Fields fieldsOrNone() {
    return Fields.of(body.isBlank() ? "{}" : body);
  }

  /** The body as a form; later values of a name win. */
  public Map<String, String> form() {
    Map<String, String> form = new LinkedHashMap<>();
    for (String pair : body.split("&", 1000)) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        form.put(decoded(pair.substring(0, equals)), decoded(pair.substring(equals + 1)));
      }
    }
    return form;
  }

  private static String decoded(String text) {
    try {
      return java.net.URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw new Refused(new Refusal.Unreadable("the form is not encoded as a form"));
    }
  }

  Request by(Caller caller) {
    return new Request(
        method,
        path,
        pathParameters,
        headers,
        query,
        body,
        remoteAddress,
        correlationId,
        Optional.of(caller));
  }
}
