package gpuaas.provider;

import gpuaas.spi.HasUtilization;
import gpuaas.spi.HasUtilization.Utilization;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import gpuaas.spi.restart.HasRestart;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** The providers of this deployment by name. */
public final class Providers {

  private final Map<String, Provider> byName;

  public Providers(Map<String, Provider> byName) {
    this.byName = new LinkedHashMap<>(byName);
  }

  /** The names, in the order of the settings. */
  public List<String> names() {
    return List.copyOf(byName.keySet());
  }

  /**
   * The provider of this name.
   *
   * @throws ProviderException.Unavailable when the settings no longer name it: its instances may
   *     still be there, so nothing may be concluded
   */
  public Provider get(String name) {
    Provider provider = byName.get(name);
    if (provider == null) {
      throw new ProviderException.Unavailable(
          "no provider is called " + name + " in the settings", null);
    }
    return provider;
  }

  /** What a provider can do beyond the six methods, if it can. */
  public <T> Optional<T> ability(String name, Class<T> ability) {
    Provider provider = byName.get(name);
    Object real = provider instanceof ProviderGate gate ? gate.inner() : provider;
    return ability.isInstance(real) ? Optional.of(ability.cast(real)) : Optional.empty();
  }

  /** The names of those that can do this. */
  public Set<String> having(Class<?> ability) {
    return byName.keySet().stream()
        .filter(name -> ability(name, ability).isPresent())
        .collect(Collectors.toUnmodifiableSet());
  }

  /** What the provider of an instance can do, if it can. */
  public <T> Optional<T> ability(InstanceRef instance, Class<T> ability) {
    return ability(instance.provider(), ability);
  }

  /**
   * What an instance uses; empty when its provider cannot tell. Goes through the provider's gate.
   *
   * @throws ProviderException when the provider could not be asked
   */
  public Optional<Utilization> utilization(InstanceRef instance) {
    return ability(instance, HasUtilization.class)
        .map(able ->
            byName.get(instance.provider()) instanceof ProviderGate gate
                ? gate.call("GetUtilization", () -> able.utilization(instance))
                : able.utilization(instance));
  }

  /** Whether an instance can be started anew. */
  public boolean canRestart(InstanceRef instance) {
    return ability(instance, HasRestart.class).filter(HasRestart::canRestart).isPresent();
  }

  /**
   * Sees to it that an instance has been restarted so often. Goes through the provider's gate.
   *
   * @throws ProviderException when it could not be done
   */
  public void restart(InstanceRef instance, int number) {
    HasRestart able =
        ability(instance, HasRestart.class)
            .orElseThrow(() ->
                new ProviderException.Unavailable(
                    instance.provider() + " cannot restart anything", null));
    if (byName.get(instance.provider()) instanceof ProviderGate gate) {
      var _ =
          gate.call(
              "RestartInstance",
              () -> {
                able.restart(instance, number);
                return true;
              });
    } else {
      able.restart(instance, number);
    }
  }

  /** Ends the connections to all of them. Instances go on running. */
  public void close() {
    byName.values().forEach(Provider::close);
  }
}
