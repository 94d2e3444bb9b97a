package gpuaas.gpuai;

/** Why a lease failed, for people. */
final class Reasons {

  private Reasons() {}

  /** A sentence that begins with the word, so that programs can tell reasons apart. */
  static String sentence(String reason) {
    return switch (reason) {
      case "no_capacity" -> "no_capacity: no such GPUs were free in time.";
      case "declined" -> "declined: the provider refused the request.";
      case "boot_failed" -> "boot_failed: the machine came up broken.";
      case "boot_timeout" -> "boot_timeout: the machine did not answer over SSH in time.";
      case "gang" -> "gang: another machine of its gang ended, or never came.";
      case "lost" -> "lost: the machine is gone, and nobody asked for that.";
      case "reclaimed" -> "reclaimed: the spot capacity was taken back.";
      case "out_of_funds" -> "out_of_funds: the balance or a budget is used up.";
      default -> reason;
    };
  }
}
