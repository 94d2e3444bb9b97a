package gpuaas.events;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClientBuilder;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.protocol.HttpClientContext;
import org.apache.hc.client5.http.ssl.DefaultClientTlsStrategy;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EndpointDetails;
import org.apache.hc.core5.http.NoHttpResponseException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.io.SocketConfig;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;

/**
 * Sends requests to URLs that strangers gave. Connects only to an address that it has just checked:
 * the answer of the one look-up is what the connection is made to, so a name that changes between
 * check and connection gains nothing. Follows no redirect, and gives up at one limit for everything
 * together.
 *
 * <p>A look-up blocks in native code: call it from platform threads.
 */
public final class OutboundHttp implements AutoCloseable {

  private static final int CONNECTIONS_MOST = 1000;
  private static final int ADDRESSES_MOST = 2;
  private static final int HEADER_LINE_MOST = 8 * 1024;
  private static final int HEADERS_MOST = 100;
  private static final int BODY_BYTES_MOST = 64 * 1024;

  /** After this a name is looked up and checked again, and sooner when nothing is sent. */
  private static final TimeValue KEPT_MOST = TimeValue.ofSeconds(30);

  private static final TimeValue KEPT_IDLE = TimeValue.ofSeconds(5);

  private final CloseableHttpClient client;
  private final boolean allowPrivate;
  private final Duration limit;
  private final ScheduledExecutorService watch =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("outbound-limit").factory());

  /** Looks names up. */
  @FunctionalInterface
  public interface Resolver {
    /** All addresses of a name. */
    InetAddress[] resolve(String host) throws UnknownHostException;
  }

  /** What came of a request; what the other side wrote is never part of it. */
  public sealed interface Outcome {
    /** It answered with a status. */
    record Answered(int status) implements Outcome {}

    /** It did not answer, or may not be asked. */
    record Failed(Problem why) implements Outcome {}
  }

  /** Why there was no answer. */
  public enum Problem {
    ADDRESS_REFUSED,
    NAME_UNKNOWN,
    CONNECTION_FAILED,
    TLS_FAILED,
    TIMED_OUT,
    ANSWER_UNREADABLE;

    /** The word outside: {@code timed_out}. */
    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * @param allowPrivate whether plain http, this machine and private networks are fine: for tests
   * @param limit for one request from the look-up to the last byte
   * @param tls what to trust
   */
  public OutboundHttp(Resolver resolver, boolean allowPrivate, Duration limit, SSLContext tls) {
    this.allowPrivate = allowPrivate;
    this.limit = limit;
    Timeout timeout = Timeout.of(limit);
    var connections =
        PoolingHttpClientConnectionManagerBuilder.create()
            .setDnsResolver(new CheckedNames(resolver, allowPrivate))
            .setTlsSocketStrategy(new DefaultClientTlsStrategy(tls))
            .setConnectionFactory(
                ManagedHttpClientConnectionFactory.builder()
                    .http1Config(
                        Http1Config.custom()
                            .setMaxLineLength(HEADER_LINE_MOST)
                            .setMaxHeaderCount(HEADERS_MOST)
                            .build())
                    .build())
            .setDefaultConnectionConfig(
                ConnectionConfig.custom()
                    .setConnectTimeout(Timeout.of(limit.dividedBy(ADDRESSES_MOST)))
                    .setSocketTimeout(timeout)
                    .setTimeToLive(KEPT_MOST)
                    .setValidateAfterInactivity(TimeValue.ofMilliseconds(100))
                    .build())
            .setDefaultSocketConfig(SocketConfig.custom().setSoTimeout(timeout).build())
            .setMaxConnTotal(CONNECTIONS_MOST)
            .setMaxConnPerRoute(CONNECTIONS_MOST)
            .build();
    this.client =
        HttpClientBuilder.create()
            .setConnectionManager(connections)
            .setKeepAliveStrategy((response, context) -> KEPT_IDLE)
            .evictIdleConnections(KEPT_IDLE)
            .setUserAgent("GPUaaS-Webhooks/1")
            .disableRedirectHandling()
            .disableAutomaticRetries()
            .disableCookieManagement()
            .disableAuthCaching()
            .disableContentCompression()
            .build();
  }

  /** What is wrong with a URL, as far as can be seen without a look-up; empty: nothing. */
  public Optional<String> problem(String url) {
    return OutboundUrl.problem(url, allowPrivate);
  }

  /**
   * Posts a body of JSON and waits for what comes of it, at most as long as the limit.
   *
   * @param owner whose it is; a connection is kept for its owner alone, so that no answer to one
   *     meets a request of another
   */
  public Outcome post(UUID owner, String url, Map<String, String> headers, String json) {
    if (problem(url).isPresent()) {
      return new Outcome.Failed(Problem.ADDRESS_REFUSED);
    }
    HttpPost request = new HttpPost(URI.create(url));
    headers.forEach(request::setHeader);
    request.setEntity(
        new ByteArrayEntity(json.getBytes(UTF_8), ContentType.create("application/json")));
    ScheduledFuture<?> deadline =
        watch.schedule(request::cancel, limit.toMillis(), TimeUnit.MILLISECONDS);
    try {
      return new Outcome.Answered(execute(request, owner));
    } catch (IOException e) {
      // Whoever is not trusted may be slow to hang up as well.
      boolean late = request.isCancelled() && !(e instanceof SSLPeerUnverifiedException);
      return new Outcome.Failed(late ? Problem.TIMED_OUT : problem(e));
    } finally {
      deadline.cancel(false);
    }
  }

  /**
   * The other side may close a kept connection at the very moment it is used: then once more, on a
   * new one. What came twice is known by its id.
   */
  private int execute(HttpPost request, UUID owner) throws IOException {
    HttpClientContext context = HttpClientContext.create();
    context.setUserToken(owner);
    try {
      return client.execute(request, context, OutboundHttp::status);
    } catch (NoHttpResponseException | SocketException e) {
      EndpointDetails connection = context.getEndpointDetails();
      boolean kept = connection != null && connection.getRequestCount() > 1;
      if (!kept || request.isCancelled()) {
        throw e;
      }
      HttpClientContext again = HttpClientContext.create();
      again.setUserToken(owner);
      return client.execute(request, again, OutboundHttp::status);
    }
  }

  /** Reads what the other side says, so that it is not cut off in the middle, and forgets it. */
  private static int status(ClassicHttpResponse response) throws IOException {
    if (response.getEntity() != null) {
      InputStream body = response.getEntity().getContent();
      if (body != null && body.readNBytes(BODY_BYTES_MOST).length == BODY_BYTES_MOST) {
        response.setEntity(null); // the connection is closed, whatever else would come
      }
    }
    return response.getCode();
  }

  private static Problem problem(IOException e) {
    return switch (e) {
      case AddressRefused _ -> Problem.ADDRESS_REFUSED;
      case UnknownHostException _ -> Problem.NAME_UNKNOWN;
      case SocketTimeoutException _ -> Problem.TIMED_OUT;
      case InterruptedIOException _ -> Problem.TIMED_OUT;
      case ConnectException _ -> Problem.CONNECTION_FAILED;
      case SSLException _ -> Problem.TLS_FAILED;
      case SocketException _ -> Problem.CONNECTION_FAILED;
      default -> Problem.ANSWER_UNREADABLE;
    };
  }

  @Override
  public void close() {
    watch.shutdownNow();
    client.close(CloseMode.IMMEDIATE);
  }

  /** The name leads to where nobody may be sent. */
  private static final class AddressRefused extends UnknownHostException {
    AddressRefused(String host) {
      super(host + " is not on the public Internet");
    }
  }

  /** The only way from a name to an address: one closed address among them closes the name. */
  private record CheckedNames(Resolver resolver, boolean allowPrivate) implements DnsResolver {
    @Override
    public InetAddress[] resolve(String host) throws UnknownHostException {
      InetAddress[] found = resolver.resolve(host);
      if (!Arrays.stream(found)
          .allMatch(address -> OutboundAddress.isAllowed(address, allowPrivate))) {
        throw new AddressRefused(host);
      }
      return Arrays.copyOf(found, Math.min(found.length, ADDRESSES_MOST));
    }

    @Override
    public String resolveCanonicalHostname(String host) {
      return host;
    }
  }
}
