package gpuaas.main;

import gpuaas.provider.Providers;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;

/** Opens the providers of the settings; the tests open others. */
@FunctionalInterface
public interface ProviderOpener {

  /** Opens them all. */
  Providers open(Settings settings, String deployment, InstantSource clock, CallWatcher watcher)
      throws IOException;

  /** Is told of every call to a provider. */
  @FunctionalInterface
  interface CallWatcher {
    /** One was made. */
    void called(String provider, String operation, boolean worked, Duration took);
  }
}
