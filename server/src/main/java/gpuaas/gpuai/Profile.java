package gpuaas.gpuai;

import gpuaas.lease.LeaseState.Phase;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The two generations of the contract: they differ in the words for a status, and in little else.
 */
public enum Profile {
  /** As in the document: {@code creating}, {@code provisioning}, {@code booting}. */
  DOCUMENT("gpuai.json"),
  /** As the released SDKs read: {@code allocating}, {@code starting}. */
  SDK("gpuai-sdk.json");

  private final String document;

  Profile(String document) {
    this.document = document;
  }

  /** The OpenAPI document of this generation, beside this class. */
  String document() {
    return document;
  }

  /** The word for how far a lease is. */
  String status(Phase phase) {
    return switch (phase) {
      case WAITING -> this == DOCUMENT ? "creating" : "allocating";
      case PROVISIONING -> this == DOCUMENT ? "provisioning" : "allocating";
      case BOOTING -> this == DOCUMENT ? "booting" : "starting";
      case RUNNING -> "running";
      case STOPPING -> "stopping";
      case FAILED -> "error";
      case GONE -> "terminated";
    };
  }

  /** What a word in a filter stands for, in either generation; empty for an unknown word. */
  static Optional<Set<Phase>> phases(String word) {
    return switch (word) {
      case "all" -> Optional.of(EnumSet.allOf(Phase.class));
      case "creating" -> Optional.of(EnumSet.of(Phase.WAITING));
      case "provisioning" -> Optional.of(EnumSet.of(Phase.PROVISIONING));
      case "allocating" -> Optional.of(EnumSet.of(Phase.WAITING, Phase.PROVISIONING));
      case "booting", "starting" -> Optional.of(EnumSet.of(Phase.BOOTING));
      case "running" -> Optional.of(EnumSet.of(Phase.RUNNING));
      case "stopping" -> Optional.of(EnumSet.of(Phase.STOPPING));
      case "stopped" -> Optional.of(EnumSet.noneOf(Phase.class));
      case "terminated" -> Optional.of(EnumSet.of(Phase.GONE));
      case "error" -> Optional.of(EnumSet.of(Phase.FAILED));
      default -> Optional.empty();
    };
  }
}
