package gpuaas.spi;

/**
 * The provider's name for an instance.
 *
 * @param provider the name of the provider in this deployment
 * @param id the provider's own id
 */
public record InstanceRef(String provider, String id) {}
