package gpuaas.main;

import gpuaas.base.Later;
import gpuaas.gateway.SshGateway;
import gpuaas.gateway.TerminalSocket;
import gpuaas.http.Dialect;
import gpuaas.http.HttpServer;
import gpuaas.http.Pipeline;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState;
import gpuaas.proxy.ProxyServer;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * The ports that requests come in by, one for each dialect; the Shopper API may share one with the
 * log-in, for the documents of both look for them there.
 */
public record Listeners(
    HttpServer api, HttpServer idp, HttpServer gpuai, HttpServer gpudev, HttpServer shopper) {

  /** What is served, by listener. */
  record Dialects(
      Dialect gpuaas, Dialect idp, List<Dialect> gpuai, Dialect gpudev, Dialect shopper) {
    List<Dialect> all() {
      return Stream.concat(Stream.of(gpuaas, idp, gpudev, shopper), gpuai.stream()).toList();
    }
  }

  /** What the gateway needs of things that are made before it. */
  record Entrances(
      Later<SshGateway> gateway, Later<TerminalSocket> terminals, Later<ProxyServer> proxy) {
    /** Closes what is open into a lease that nobody may use any more. */
    void changed(Lease lease) {
      if (lease.state() instanceof LeaseState.Stopping
          || lease.state() instanceof LeaseState.Ended) {
        gateway.get().closeSessions(lease.id());
        terminals.get().closeAll(lease.id());
        proxy.get().end(lease.id());
      }
    }

    /** Closes the terminals of somebody that were opened by what opens nothing any more. */
    void loggedOut(UUID person) {
      terminals.get().recheck(person);
    }

    /** Closes what is open of those who may less than before. */
    void lessened() {
      gateway.get().recheckAll();
      terminals.get().recheckAll();
    }
  }

  /** Opens them all; from here on requests are answered. */
  static Listeners open(Settings settings, Pipeline pipeline, Dialects dialects) {
    Opening opening = new Opening(settings, pipeline);
    String address = settings.address();
    boolean shared = settings.isShopperWithIdp();
    HttpServer idp =
        opening.at(
            address,
            settings.idpPort(),
            shared ? List.of(dialects.shopper(), dialects.idp()) : List.of(dialects.idp()));
    return new Listeners(
        opening.at(address, settings.apiPort(), List.of(dialects.gpuaas())),
        idp,
        opening.at(address, settings.gpuaiPort(), dialects.gpuai()),
        opening.at(address, settings.gpudevPort(), List.of(dialects.gpudev())),
        shared
            ? idp
            : opening.at(
                settings.shopperAddress(), settings.shopperPort(), List.of(dialects.shopper())));
  }

  private record Opening(Settings settings, Pipeline pipeline) {
    HttpServer at(String address, int port, List<Dialect> dialects) {
      return new HttpServer(
          new HttpServer.Listener(address, port, dialects, settings.requestLimits()), pipeline);
    }
  }

  /** Takes no more requests, and lets those that run finish. */
  void close() {
    Stream.of(api, idp, gpuai, gpudev, shopper).distinct().forEach(HttpServer::close);
  }
}
