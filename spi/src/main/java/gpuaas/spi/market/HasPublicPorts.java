package gpuaas.spi.market;

import gpuaas.spi.InstanceRef;
import java.util.Optional;

/** A market whose machines can be reached from anywhere, not by SSH alone. */
public interface HasPublicPorts {

  /**
   * Where a port of an instance is reached from outside, if it was asked for and is known by now;
   * whether anything listens there is another question. Empty for an instance that does not run.
   */
  Optional<PublicPort> publicPort(InstanceRef instance, int port);

  /** An address that anybody can connect to by TCP. */
  record PublicPort(String host, int port) {}
}
