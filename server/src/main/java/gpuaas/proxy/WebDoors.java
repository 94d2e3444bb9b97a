package gpuaas.proxy;

import gpuaas.spi.HasPorts;
import gpuaas.spi.InstanceRef;
import gpuaas.web.Web;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.util.Optional;

/** Which lease a name leads to. */
@FunctionalInterface
public interface WebDoors {

  /**
   * What of a lease is reached in a browser, by its host name or id; empty when nothing is. Asked
   * at every request, so it must be quick; it may block.
   */
  Optional<WebDoor> find(String lease);

  /**
   * The way to a lease.
   *
   * @param inside empty while it does not run, or when its provider cannot reach ports
   * @param state of the lease, for people
   */
  record WebDoor(Web web, Optional<Inside> inside, String state) {}

  /** A running instance. */
  record Inside(InstanceRef instance, HasPorts ports) {
    SocketChannel connect(int port) throws IOException {
      return ports.connect(instance, port);
    }
  }
}
