package gpuaas.spi;

import java.time.Instant;

/** An instance at a provider that carries our tag. */
public record Owned(InstanceRef instance, OwnerTag tag, Instant createdAt) {}
