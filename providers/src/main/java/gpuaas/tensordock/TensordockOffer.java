package gpuaas.tensordock;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the id of an offer says: so many GPUs of one kind at one place. It reads {@code PLACE-KIND}
 * for one GPU and {@code PLACE-KIND-x4} for four.
 *
 * @param place the id of a location of the market
 * @param slug the market's name of a kind of GPU
 */
record TensordockOffer(String place, String slug, int count) {

  static final String PLACE = "[0-9a-f-]{36}";
  static final String SLUG = "[a-z0-9-]{1,60}";

  private static final Pattern FORM =
      Pattern.compile("(" + PLACE + ")-([a-z0-9-]{1,60}?)(?:-x([1-9][0-9]?))?");

  /** How ids were written at first; such offers may still be on their way. */
  private static final Pattern OLD =
      Pattern.compile("(" + PLACE + ")/(" + SLUG + ")/([1-9][0-9]?)");

  String id() {
    return place + "-" + slug + (count == 1 ? "" : "-x" + count);
  }

  /** Reads both forms; empty for anything else. */
  static Optional<TensordockOffer> parse(String id) {
    Matcher matcher = FORM.matcher(id);
    if (!matcher.matches()) {
      matcher = OLD.matcher(id);
      if (!matcher.matches()) {
        return Optional.empty();
      }
    }
    String count = matcher.group(3);
    return Optional.of(
        new TensordockOffer(
            matcher.group(1), matcher.group(2), count == null ? 1 : Integer.parseInt(count)));
  }
}
