package gpuaas.command;

import gpuaas.provider.Providers;
import java.time.Instant;
import java.util.Map;

/** For tests in which no lease has a command. */
public final class TestCommands {

  private TestCommands() {}

  /** Knows no command, and needs no database. */
  public static Commands none() {
    return new Commands(
        null, new Providers(Map.of()), () -> Instant.EPOCH, CommandRules.standard());
  }
}
