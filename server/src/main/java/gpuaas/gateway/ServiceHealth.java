package gpuaas.gateway;

import gpuaas.lease.Lease;
import gpuaas.provider.Providers;
import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.ProviderException;
import gpuaas.spi.market.HasPublicPorts;
import gpuaas.spi.market.HasPublicPorts.PublicPort;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Proves that what an image runs by itself answers: by HTTP, at the first of its ports. A page that
 * is not there is an answer too.
 */
public final class ServiceHealth {

  private static final Logger log = LoggerFactory.getLogger(ServiceHealth.class);

  private final Providers providers;
  private final Duration limit;
  private final HttpClient http;

  /**
   * @param limit for one try
   */
  public ServiceHealth(Providers providers, Duration limit) {
    this.providers = providers;
    this.limit = limit;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(limit)
            .build();
  }

  /** Where it answers; empty: not yet. */
  Optional<Endpoint> prove(Lease lease, InstanceRef instance) throws InterruptedException {
    List<Integer> ports = lease.spec().launch().ports();
    Optional<HasPublicPorts> able = providers.ability(instance, HasPublicPorts.class);
    if (ports.isEmpty() || able.isEmpty()) {
      return Optional.empty();
    }
    Optional<PublicPort> port;
    try {
      port = able.get().publicPort(instance, ports.getFirst());
    } catch (ProviderException couldNotAsk) {
      return Optional.empty();
    }
    if (port.isEmpty() || !answers(lease, port.get())) {
      return Optional.empty();
    }
    return Optional.of(new Endpoint(port.get().host(), port.get().port(), ""));
  }

  private boolean answers(Lease lease, PublicPort at) throws InterruptedException {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(new URI("http", null, at.host(), at.port(), "/health", null, null))
              .timeout(limit)
              .build();
      int status = http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
      return status / 100 == 2 || status == 404;
    } catch (IOException | java.net.URISyntaxException | IllegalArgumentException e) {
      log.info("lease {} does not answer yet: {}", lease.id(), e.toString());
      return false;
    }
  }
}
