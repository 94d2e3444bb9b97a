package gpuaas.gpuai;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.http.Cursors;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What all lists share: {@code limit}, {@code cursor}, the page, and the filters that a cursor is
 * bound to.
 */
final class Lists {

  private static final int LIMIT = 50;
  private static final int LIMIT_MOST = 200;
  private static final Pattern TIME =
      Pattern.compile(
          "(\\d{4}-\\d\\d-\\d\\d)[Tt ](\\d\\d:\\d\\d(?::\\d\\d(?:\\.\\d{1,9})?)?)"
              + "(?:([Zz])|([+ -])(\\d\\d):?(\\d\\d))?");

  private final Cursors cursors;

  Lists(Cursors cursors) {
    this.cursors = cursors;
  }

  /** One page; {@code next_cursor} is null exactly on the last one. */
  record Page<T>(List<T> data, Optional<String> nextCursor) {}

  static int limit(Request request) {
    return request.queryInteger("limit", LIMIT, 1, LIMIT_MOST);
  }

  /**
   * Where the last page ended.
   *
   * @param filters what the list was asked for: a cursor of other filters is refused
   */
  Optional<List<String>> after(Request request, String filters, int parts) {
    return request
        .query("cursor")
        .map(text -> cursors.open(text, context(request, filters)))
        .filter(found -> found.size() == parts);
  }

  /**
   * A page of what was found.
   *
   * @param found one more than the limit when there are more
   * @param key where an item stands in the list
   */
  <T, V> Reply page(
      Request request,
      String filters,
      List<T> found,
      Function<T, V> view,
      Function<T, List<String>> key) {
    int limit = limit(request);
    List<T> items = found.size() > limit ? found.subList(0, limit) : found;
    Optional<String> next =
        found.size() > limit
            ? Optional.of(cursors.seal(key.apply(items.getLast()), context(request, filters)))
            : Optional.empty();
    return Reply.json(200, new Page<>(items.stream().map(view).toList(), next));
  }

  /** A page that the core has made; its {@code next} is sealed. */
  <T, V> Reply page(
      Request request, String filters, gpuaas.base.Page<T> page, Function<T, V> view) {
    Optional<String> next =
        page.next().map(place -> cursors.seal(List.of(place), context(request, filters)));
    return Reply.json(200, new Page<>(page.items().stream().map(view).toList(), next));
  }

  /** The same for a list that is there as a whole, in the order of its keys. */
  <T, V> Reply pageOfAll(
      Request request, String filters, List<T> all, Function<T, V> view, Function<T, String> key) {
    Optional<String> after = after(request, filters, 1).map(List::getFirst);
    List<T> found =
        all.stream()
            .filter(item -> after.isEmpty() || key.apply(item).compareTo(after.get()) > 0)
            .limit(limit(request) + 1L)
            .toList();
    return page(request, filters, found, view, item -> List.of(key.apply(item)));
  }

  private static String context(Request request, String filters) {
    String owner =
        request.knownCaller().map(caller -> caller.project().toString()).orElse("public");
    String list = request.path().substring(request.path().lastIndexOf('/'));
    return owner + " " + list + " " + filters;
  }

  /** A time as the SDKs send it: with {@code Z}, {@code +00:00}, {@code +0000}, or none for UTC. */
  static Optional<Instant> time(Request request, String name) {
    return request.query(name).map(text -> time(name, text));
  }

  private static Instant time(String name, String text) {
    Matcher form = TIME.matcher(text);
    try {
      if (form.matches()) {
        String local = form.group(1) + "T" + form.group(2);
        if (form.group(5) == null) {
          return LocalDateTime.parse(local).toInstant(ZoneOffset.UTC);
        }
        // A plus sign that was not encoded arrives as a space.
        String sign = form.group(4).equals(" ") ? "+" : form.group(4);
        return OffsetDateTime.parse(local + sign + form.group(5) + ":" + form.group(6)).toInstant();
      }
    } catch (DateTimeParseException e) {
      // refused below
    }
    throw new Refused(Refusal.Invalid.field(name, "must be a time such as 2026-05-08T00:00:00Z"));
  }

  /** A word of a list of words; absent is allowed. */
  static <T> Optional<T> word(Request request, String name, Function<String, Optional<T>> known) {
    Optional<String> text = request.query(name);
    Optional<T> value = text.flatMap(known);
    if (text.isPresent() && value.isEmpty()) {
      throw new Refused(Refusal.Invalid.field(name, "is not one of the values that are written"));
    }
    return value;
  }

  /** An id from a cursor of ours. */
  static UUID id(String text) {
    return UUID.fromString(text);
  }
}
