package gpuaas.spi;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/**
 * What a provider is opened with.
 *
 * @param name the name of this provider, unique in the deployment
 * @param deployment the deployment's id; part of every tag
 * @param dataFolder a folder of this provider's own; survives restarts
 * @param clock the time
 * @param values settings by name; names not given are absent
 */
public record ProviderConfig(
    String name,
    String deployment,
    Path dataFolder,
    InstantSource clock,
    Map<String, String> values) {

  public ProviderConfig {
    values = Map.copyOf(values);
  }

  /** The value of a setting, if one was given and is not blank. */
  public Optional<String> find(String setting) {
    return Optional.ofNullable(values.get(setting)).filter(value -> !value.isBlank());
  }

  /** The value of a setting, or the given one. */
  public String get(String setting, String fallback) {
    return find(setting).orElse(fallback);
  }
}
