package gpuaas.proxy;

import java.util.List;

/** How one knows where a body ends. */
sealed interface Framing {

  /** There is none. */
  record None() implements Framing {}

  /** After so many bytes. */
  record Length(long bytes) implements Framing {}

  /** At a chunk of no length. */
  record Chunked() implements Framing {}

  /** With the connection. */
  record UntilEnd() implements Framing {}

  /** What fields say, when they say it in one way only. */
  static Framing of(HeadFields fields, Framing otherwise) throws Malformed {
    List<String> encodings = fields.all("transfer-encoding");
    List<String> lengths = fields.all("content-length");
    if (!encodings.isEmpty()) {
      if (!lengths.isEmpty()) {
        throw new Malformed(400, "There must not be both Content-Length and Transfer-Encoding.");
      }
      if (encodings.size() > 1 || !encodings.getFirst().equalsIgnoreCase("chunked")) {
        throw new Malformed(501, "Of transfer encodings only chunked is understood.");
      }
      return new Chunked();
    }
    if (lengths.isEmpty()) {
      return otherwise;
    }
    if (lengths.size() > 1 || !lengths.getFirst().matches("[0-9]{1,18}")) {
      throw new Malformed(400, "Content-Length must be one whole number.");
    }
    long length = Long.parseLong(lengths.getFirst());
    return length == 0 ? new None() : new Length(length);
  }
}
