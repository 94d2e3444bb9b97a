package gpuaas.proxy;

import java.io.IOException;

/** Something that is no HTTP/1.1, or could be read in more than one way. */
final class Malformed extends IOException {

  private final int status;
  private final String why;

  /**
   * @param status what to answer, when it came from the client
   * @param why for whoever sent it; holds nothing of what was sent
   */
  Malformed(int status, String why) {
    super(why);
    this.status = status;
    this.why = why;
  }

  int status() {
    return status;
  }

  String why() {
    return why;
  }
}
