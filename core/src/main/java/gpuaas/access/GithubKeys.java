package gpuaas.access;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/** The public keys that people have at GitHub: {@code BASE/NAME.keys}. */
public final class GithubKeys implements KeySource {

  /** What a name there may look like; nothing else gets into an address. */
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}");

  private static final int BYTES_MOST = 256 * 1024;
  private static final int NOT_FOUND = 404;
  private static final int FINE = 200;

  private final URI base;
  private final Duration limit;
  private final HttpClient http;

  /**
   * @param base such as {@code https://github.com}
   * @param limit for each question
   */
  public GithubKeys(URI base, Duration limit) {
    this.base = base;
    this.limit = limit;
    this.http =
        HttpClient.newBuilder()
            .connectTimeout(limit)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  @Override
  public List<String> keys(String name) throws Away, InterruptedException {
    if (!NAME.matcher(name).matches()) {
      return List.of();
    }
    URI address = URI.create(base.toString().replaceFirst("/+$", "") + "/" + name + ".keys");
    HttpRequest request = HttpRequest.newBuilder(address).timeout(limit).GET().build();
    try {
      HttpResponse<InputStream> response =
          http.send(request, HttpResponse.BodyHandlers.ofInputStream());
      try (InputStream body = response.body()) {
        if (response.statusCode() == NOT_FOUND) {
          return List.of();
        }
        if (response.statusCode() != FINE) {
          throw new Away(address.getHost() + " answered " + response.statusCode());
        }
        byte[] bytes = body.readNBytes(BYTES_MOST + 1);
        if (bytes.length > BYTES_MOST) {
          throw new Away("the list of keys is too long");
        }
        return new String(bytes, StandardCharsets.UTF_8).lines().toList();
      }
    } catch (IOException e) {
      throw new Away(address.getHost() + " cannot be reached");
    }
  }
}
