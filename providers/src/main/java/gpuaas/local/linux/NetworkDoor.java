package gpuaas.local.linux;

import gpuaas.local.linux.Processes.Identity;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Opens connections inside a process's network. A socket belongs to the network of the thread that
 * made it, for good; so a thread goes there, connects, hands the socket over, and ends.
 */
public final class NetworkDoor {

  private static final int CONNECT_MILLISECONDS = 5_000;

  private NetworkDoor() {}

  /**
   * Connects to the loopback of that network, by IPv4 and then by IPv6.
   *
   * @throws IOException when nothing listens there, or the process has ended
   */
  public static SocketChannel connect(Identity process, int port) throws IOException {
    if (port < 1 || port > 65_535) {
      throw new IOException("a port is from 1 to 65535, not " + port);
    }
    CompletableFuture<SocketChannel> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .name("network-door")
        .daemon()
        .start(() -> {
          try {
            SystemCalls.enterNetworkOf(process.pid());
            // Its number may have gone to another process between the look and the step.
            if (!process.isAlive()) {
              throw new IOException("the environment has ended");
            }
            result.complete(connectHere(port));
          } catch (IOException | RuntimeException failure) {
            result.completeExceptionally(failure);
          }
        });
    try {
      return result.get();
    } catch (ExecutionException failed) {
      throw new IOException("no connection to port " + port, failed.getCause());
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while connecting", interrupted);
    }
  }

  private static SocketChannel connectHere(int port) throws IOException {
    try {
      return connect(InetAddress.getByAddress(new byte[] {127, 0, 0, 1}), port);
    } catch (IOException onlyOnIpv6) {
      byte[] loopback = new byte[16];
      loopback[15] = 1;
      return connect(InetAddress.getByAddress(loopback), port);
    }
  }

  private static SocketChannel connect(InetAddress address, int port) throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.socket().connect(new InetSocketAddress(address, port), CONNECT_MILLISECONDS);
      return channel;
    } catch (IOException failure) {
      channel.close();
      throw failure;
    }
  }
}
