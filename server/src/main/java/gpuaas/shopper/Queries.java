package gpuaas.shopper;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.http.Request;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Reads parameters of a query; an empty one is as good as none, and the first bad one is refused.
 */
final class Queries {

  private static final Pattern INTEGER = Pattern.compile("[+-]?[0-9]{1,18}");
  private static final Pattern NUMBER =
      Pattern.compile("[+-]?([0-9]{1,30}\\.?[0-9]{0,30}|\\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?");
  private static final BigDecimal ONE = BigDecimal.ONE;

  private Queries() {}

  static Optional<String> text(Request request, String name) {
    Optional<String> text = request.query(name).filter(given -> !given.isEmpty());
    if (text.filter(given -> !GoFields.isText(given)).isPresent()) {
      throw invalid(name, "must be Unicode text");
    }
    return text;
  }

  /** A whole number that is not negative; 0 when there is none. */
  static int count(Request request, String name) {
    return integer(request, name, value -> value >= 0, "must be non-negative");
  }

  /** A whole number above 0; 0 when there is none. */
  static int positive(Request request, String name) {
    return integer(request, name, value -> value > 0, "must be positive");
  }

  private static int integer(Request request, String name, Predicate<Long> rule, String broken) {
    Optional<String> text = text(request, name);
    if (text.isEmpty()) {
      return 0;
    }
    if (!INTEGER.matcher(text.get()).matches()) {
      throw invalid(name, "must be a valid integer, got \"" + said(text.get()) + "\"");
    }
    long value = Long.parseLong(text.get());
    if (!rule.test(value)) {
      throw invalid(name, broken + ", got " + value);
    }
    return (int) Math.min(Integer.MAX_VALUE, value);
  }

  /** A number that is not negative. */
  static Optional<BigDecimal> amount(Request request, String name) {
    return number(request, name, value -> value.signum() >= 0, "must be non-negative");
  }

  /** A number from 0 to 1. */
  static Optional<BigDecimal> share(Request request, String name) {
    return number(
        request,
        name,
        value -> value.signum() >= 0 && value.compareTo(ONE) <= 0,
        "must be between 0 and 1");
  }

  private static Optional<BigDecimal> number(
      Request request, String name, Predicate<BigDecimal> rule, String broken) {
    Optional<String> text = text(request, name);
    if (text.isEmpty()) {
      return Optional.empty();
    }
    if (!NUMBER.matcher(text.get()).matches()) {
      throw invalid(name, "must be a valid number, got \"" + said(text.get()) + "\"");
    }
    BigDecimal value = new BigDecimal(text.get());
    if (!rule.test(value)) {
      throw invalid(name, broken + ", got " + said(text.get()));
    }
    return Optional.of(value).filter(number -> number.signum() > 0); // 0 filters nothing
  }

  /** One of the words that mean true or false. */
  static Optional<Boolean> flag(Request request, String name) {
    return text(request, name)
        .map(text ->
            switch (text) {
              case "1", "t", "T", "TRUE", "true", "True" -> true;
              case "0", "f", "F", "FALSE", "false", "False" -> false;
              default ->
                  throw new Refused(
                      new Refusal.Unreadable(
                          "strconv.ParseBool: parsing \"" + said(text) + "\": invalid syntax"));
            });
  }

  private static String said(String text) {
    return ShopperErrors.quoted(text);
  }

  private static Refused invalid(String name, String problem) {
    return new Refused(new Refusal.Unreadable("invalid " + name + ": " + problem));
  }
}
