package gpuaas.proxy;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The head of an answer from inside a lease, which is as hostile as any. */
record ResponseHead(int status, String reason, HeadFields fields) {

  private static final Pattern LINE = Pattern.compile("HTTP/1\\.[01] ([1-5][0-9][0-9])(?: (.*))?");
  private static final int NO_CONTENT = 204;
  private static final int NOT_MODIFIED = 304;

  static ResponseHead parse(List<String> lines) throws Malformed {
    Matcher line = LINE.matcher(lines.isEmpty() ? "" : lines.getFirst());
    if (!line.matches()) {
      throw new Malformed(502, "What listens there does not speak HTTP.");
    }
    String reason = line.group(2) == null ? "" : line.group(2).replaceAll("[^\\x20-\\x7e]", "?");
    return new ResponseHead(
        Integer.parseInt(line.group(1)), reason, HeadFields.parse(lines.subList(1, lines.size())));
  }

  /** True when another answer follows. */
  boolean isInterim() {
    return status / 100 == 1 && status != 101;
  }

  /** How its body ends. */
  Framing framing(boolean toHead) throws Malformed {
    if (toHead || status / 100 == 1 || status == NO_CONTENT || status == NOT_MODIFIED) {
      return new Framing.None();
    }
    return Framing.of(fields, new Framing.UntilEnd());
  }

  /** Whether its length is to be said although there is no body. */
  boolean keepsLength(boolean toHead) {
    return toHead || status == NOT_MODIFIED;
  }
}
