package gpuaas.spi;

import gpuaas.spi.InstanceRequest.Launch;
import gpuaas.spi.InstanceRequest.Launch.Mode;
import gpuaas.spi.market.HasTemplates;
import java.util.List;

/** The ways in which an instance can be asked to begin. */
public enum LaunchKind {
  /** With more room for files. */
  DISK,
  /** With ports that are open to the world. */
  PORTS,
  /** With a command. */
  COMMAND,
  /** From a template. */
  TEMPLATE,
  /** From a template that there is not. */
  UNKNOWN_TEMPLATE,
  /** As what its image runs by itself. */
  IMAGE;

  Launch launch(Provider provider) {
    return switch (this) {
      case DISK -> new Launch(Mode.SHELL, 120, List.of(), "", "");
      case PORTS -> new Launch(Mode.SHELL, 0, List.of(8000, 8080), "", "");
      case COMMAND -> new Launch(Mode.SHELL, 0, List.of(), "echo 'it''s up' > begun\nexit 3", "");
      case TEMPLATE -> new Launch(Mode.SHELL, 0, List.of(), "", template(provider));
      case UNKNOWN_TEMPLATE -> new Launch(Mode.SHELL, 0, List.of(), "", "00unknown00");
      case IMAGE -> new Launch(Mode.IMAGE, 0, List.of(8000), "", "");
    };
  }

  private static String template(Provider provider) {
    return provider instanceof HasTemplates market
        ? market.templates().getFirst().hash()
        : "a-template";
  }
}
