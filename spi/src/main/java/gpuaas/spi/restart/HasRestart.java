package gpuaas.spi.restart;

import gpuaas.spi.InstanceRef;

/** A provider that can end all that runs in an instance and start it anew. */
public interface HasRestart {

  /** Whether it can on this machine, as it is set up. */
  boolean canRestart();

  /**
   * Restarts an instance unless it has been restarted this often; returns when it is on its way up.
   * Called again until the instance is up, also by another process after this one died half way.
   *
   * @param number how often it is to have been restarted, from 1
   * @throws gpuaas.spi.ProviderException when it could not be; what is left of it is to be looked
   *     at, and this called again
   */
  void restart(InstanceRef instance, int number);
}
