package gpuaas.spi;

import java.io.IOException;
import java.nio.channels.SocketChannel;

/** A provider that can reach into the network that only an instance sees. */
public interface HasPorts {

  /**
   * Connects to a TCP port on the instance's own loopback, never on anything else.
   *
   * @throws IOException when nothing listens there
   */
  SocketChannel connect(InstanceRef instance, int port) throws IOException;
}
