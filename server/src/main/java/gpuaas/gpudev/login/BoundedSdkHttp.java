package gpuaas.gpudev.login;

import java.io.FilterInputStream;
import java.io.IOException;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;

/** The SDK reads answers of any size into memory; this lets it have only so much. */
final class BoundedSdkHttp implements SdkHttpClient {

  private final SdkHttpClient http;
  private final int bytesMost;

  BoundedSdkHttp(SdkHttpClient http, int bytesMost) {
    this.http = http;
    this.bytesMost = bytesMost;
  }

  @Override
  public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
    ExecutableHttpRequest prepared = http.prepareRequest(request);
    return new ExecutableHttpRequest() {
      @Override
      public HttpExecuteResponse call() throws IOException {
        HttpExecuteResponse answer = prepared.call();
        HttpExecuteResponse.Builder bounded =
            HttpExecuteResponse.builder().response(answer.httpResponse());
        answer
            .responseBody()
            .ifPresent(body ->
                bounded.responseBody(
                    AbortableInputStream.create(new Bounded(body, bytesMost), body)));
        return bounded.build();
      }

      @Override
      public void abort() {
        prepared.abort();
      }
    };
  }

  @Override
  public String clientName() {
    return http.clientName();
  }

  @Override
  public void close() {
    http.close();
  }

  private static final class Bounded extends FilterInputStream {

    private final AbortableInputStream body;
    private int left;

    Bounded(AbortableInputStream body, int bytesMost) {
      super(body);
      this.body = body;
      this.left = bytesMost;
    }

    @Override
    public int read() throws IOException {
      int read = super.read();
      count(read < 0 ? 0 : 1);
      return read;
    }

    @Override
    public int read(byte[] into, int from, int length) throws IOException {
      int read = super.read(into, from, length);
      count(Math.max(read, 0));
      return read;
    }

    private void count(int bytes) throws IOException {
      left -= bytes;
      if (left < 0) {
        body.abort(); // else closing would read on to the end
        throw new IOException("the answer of STS is too long");
      }
    }
  }
}
