package gpuaas.gpudev.login;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Requests to others with an end in time and in bytes; redirects are not followed. */
final class BoundedHttp implements AutoCloseable {

  private final HttpClient client;
  private final Duration limit;
  private final int bytesMost;

  /**
   * @param limit from the start to the last byte
   */
  BoundedHttp(Duration connectLimit, Duration limit, int bytesMost) {
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(connectLimit)
            .build();
    this.limit = limit;
    this.bytesMost = bytesMost;
  }

  /** Sends it and reads all of the answer. */
  HttpResponse<byte[]> send(HttpRequest request) throws IOException {
    CompletableFuture<HttpResponse<byte[]>> answer =
        client.sendAsync(request, BodyHandlers.limiting(BodyHandlers.ofByteArray(), bytesMost));
    try {
      return answer.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      throw new HttpTimeoutException("no whole answer in time");
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted");
    } catch (ExecutionException failed) {
      throw failed.getCause() instanceof IOException known ? known : new IOException(failed);
    } finally {
      answer.cancel(true); // ends the exchange unless it is over
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
