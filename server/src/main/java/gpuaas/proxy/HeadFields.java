package gpuaas.proxy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** The fields of a head, in their order; names in any case. */
record HeadFields(List<Field> fields) {

  private static final int FIELDS_MOST = 200;
  private static final Pattern NAME = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}");

  /** Between two hops only. */
  private static final Set<String> HOP_BY_HOP =
      Set.of(
          "connection",
          "keep-alive",
          "proxy-connection",
          "proxy-authenticate",
          "proxy-authorization",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade",
          "http2-settings");

  HeadFields {
    fields = List.copyOf(fields);
  }

  /** One line of it. */
  record Field(String name, String value) {
    boolean is(String other) {
      return name.equalsIgnoreCase(other);
    }
  }

  /** Reads lines after the first; refuses what is folded, has an odd name or control characters. */
  static HeadFields parse(List<String> lines) throws Malformed {
    if (lines.size() > FIELDS_MOST) {
      throw new Malformed(431, "The request has too many fields.");
    }
    List<Field> fields = new ArrayList<>();
    for (String line : lines) {
      int colon = line.indexOf(':');
      if (colon < 1 || !NAME.matcher(line.substring(0, colon)).matches()) {
        throw new Malformed(400, "A field of the head is folded, or its name is none.");
      }
      String value = line.substring(colon + 1).strip();
      if (value.chars().anyMatch(c -> (c < ' ' && c != '\t') || c == 0x7f)) {
        throw new Malformed(400, "A field of the head has control characters.");
      }
      fields.add(new Field(line.substring(0, colon), value));
    }
    return new HeadFields(fields);
  }

  List<String> all(String name) {
    return fields.stream().filter(field -> field.is(name)).map(Field::value).toList();
  }

  Optional<String> first(String name) {
    return all(name).stream().findFirst();
  }

  /** Whether a list of words has this one. */
  boolean hasWord(String name, String word) {
    return words(name).contains(word);
  }

  private Set<String> words(String name) {
    Set<String> words = new HashSet<>();
    for (String value : all(name)) {
      for (String word : value.split(",", 100)) {
        words.add(word.strip().toLowerCase(Locale.ROOT));
      }
    }
    return words;
  }

  /** Those that go on to the other side. What the sender calls hop-by-hop is so, too. */
  List<Field> endToEnd() {
    Set<String> listed = words("connection");
    listed.remove("host");
    return fields.stream()
        .filter(field -> {
          String name = field.name().toLowerCase(Locale.ROOT);
          return !HOP_BY_HOP.contains(name) && !listed.contains(name);
        })
        .toList();
  }

  /** A head as it is written. */
  static String written(String firstLine, List<Field> fields) {
    StringBuilder text = new StringBuilder(firstLine).append("\r\n");
    fields.forEach(
        field -> text.append(field.name()).append(": ").append(field.value()).append("\r\n"));
    return text.append("\r\n").toString();
  }
}
