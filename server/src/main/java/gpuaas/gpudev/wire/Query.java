package gpuaas.gpudev.wire;

import gpuaas.http.Halt;
import gpuaas.http.Request;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A query read by the rules of the original's framework. */
public final class Query {

  private final Request request;
  private final List<Map<String, Object>> problems = new ArrayList<>();

  private Query(Request request) {
    this.request = request;
  }

  public static Query of(Request request) {
    return new Query(request);
  }

  public int integer(String name, int fallback, int least, int most) {
    String text = request.query(name).orElse(null);
    if (text == null) {
      return fallback;
    }
    if (!text.strip().matches("[+-]?[0-9]{1,30}")) {
      wrong(
          name,
          "int_parsing",
          "Input should be a valid integer, unable to parse string as an integer",
          text,
          Map.of());
      return fallback;
    }
    BigInteger value = new BigInteger(text.strip().replace("+", ""));
    if (value.compareTo(BigInteger.valueOf(least)) < 0) {
      wrong(
          name,
          "greater_than_equal",
          "Input should be greater than or equal to " + least,
          text,
          Map.of("ge", least));
      return fallback;
    }
    if (value.compareTo(BigInteger.valueOf(most)) > 0) {
      wrong(
          name,
          "less_than_equal",
          "Input should be less than or equal to " + most,
          text,
          Map.of("le", most));
      return fallback;
    }
    return value.intValueExact();
  }

  private void wrong(
      String name, String type, String message, String input, Map<String, Object> context) {
    Map<String, Object> problem =
        Model.problem(type, List.of("query", name), message, GpudevErrors.quoted(input));
    if (!context.isEmpty()) {
      problem.put("ctx", context);
    }
    problems.add(problem);
  }

  /** Refuses with all that was found. */
  public void check() {
    if (!problems.isEmpty()) {
      throw new Halt(GpudevErrors.invalid(problems));
    }
  }
}
