package gpuaas.gpuai;

import gpuaas.base.Refusal;
import gpuaas.base.Refusal.FieldProblem;
import gpuaas.base.Refused;
import gpuaas.http.Fields;
import gpuaas.http.Request;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** Request bodies: JSON, and said to be. */
final class Bodies {

  private Bodies() {}

  /** The body as an object; refused when its media type is another one. */
  static Fields fields(Request request) {
    request.header("content-type").ifPresent(Bodies::refuseOther);
    return request.fields();
  }

  private static void refuseOther(String contentType) {
    String type = contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    if (!type.equals("application/json") && !type.endsWith("+json")) {
      throw new Refused(new Refusal.WrongMediaType(type));
    }
  }

  /** What the core says of its fields, in the names that this dialect has for them. */
  static <T> T renamed(Supplier<T> work, Map<String, String> names) {
    try {
      return work.get();
    } catch (Refused no) {
      if (no.refusal() instanceof Refusal.Invalid invalid) {
        throw new Refused(
            new Refusal.Invalid(
                invalid.fields().stream()
                    .map(problem ->
                        new FieldProblem(
                            names.getOrDefault(problem.field(), problem.field()),
                            problem.problem()))
                    .toList()));
      }
      throw no;
    }
  }
}
