package gpuaas.spi.disk;

import java.util.Optional;

/**
 * A provider that keeps disks, and can give one to an instance as its home folder: see {@link
 * gpuaas.spi.InstanceRequest#homeDisk}. One without this ability rejects such a request.
 */
public interface HasDisks {

  /** The disks of this provider; empty: they are switched off in its settings. */
  Optional<Disks> disks();
}
