package gpuaas.local.gpu;

import java.io.IOException;

/** A source of knowledge about GPUs has nothing to say, and why. */
final class SourceFailure extends IOException {
  private static final long serialVersionUID = 1;

  SourceFailure(String why) {
    super(why);
  }
}
