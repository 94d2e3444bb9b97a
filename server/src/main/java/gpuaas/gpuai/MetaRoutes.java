package gpuaas.gpuai;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.http.Reply;
import gpuaas.http.Route;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;

/** That it lives, and what it speaks. */
final class MetaRoutes {

  private final String mount;
  private final String document;

  MetaRoutes(String mount, Profile profile) {
    this.mount = mount;
    this.document = read(profile.document());
  }

  List<Route> routes() {
    return List.of(
        Route.publicGet(mount + "/health", _ -> Reply.rawJson(200, "{\"status\":\"ok\"}")),
        Route.publicGet(mount + "/openapi.json", _ -> Reply.rawJson(200, document)));
  }

  private static String read(String name) {
    try (InputStream in = MetaRoutes.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is missing from the build");
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
