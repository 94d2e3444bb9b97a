package gpuaas.local.image.registry;

import gpuaas.local.linux.Command;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A real registry on a loopback port, and small images made by the usual tools. */
public final class TestRegistry implements AutoCloseable {

  private static final long TOOL_SECONDS = 60;

  private final Path folder;
  private final int port;
  private final Process process;
  private int layers;

  private TestRegistry(Path folder, int port, Process process) {
    this.folder = folder;
    this.port = port;
    this.process = process;
  }

  /** Starts one that keeps its data in a folder. */
  public static TestRegistry start(Path folder) throws IOException {
    Files.createDirectories(folder);
    int port = freePort();
    Path configuration = folder.resolve("registry.yml");
    Files.writeString(
        configuration,
        """
        version: 0.1
        storage: {filesystem: {rootdirectory: %s}}
        http: {addr: "127.0.0.1:%d"}
        """
            .formatted(folder.resolve("data"), port));
    Process process =
        new ProcessBuilder("docker-registry", "serve", configuration.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("registry.log").toFile())
            .start();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!answers(port)) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new IOException(Files.readString(folder.resolve("registry.log")));
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
    }
    return new TestRegistry(folder, port, process);
  }

  /** A port that nobody listens at. */
  public static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean answers(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException notYet) {
      return false;
    }
  }

  /** As it is named in references and settings. */
  public String name() {
    return "127.0.0.1:" + port;
  }

  public int port() {
    return port;
  }

  /** An image in the making. */
  public final class Draft {
    private final Path layout;
    private final List<String> options = new ArrayList<>();

    private Draft(Path layout) {
      this.layout = layout;
    }

    /** Adds a layer with what a shell script makes in an empty folder. */
    public Draft layer(String script) throws IOException {
      Path root = Files.createDirectories(folder.resolve("layer-" + ++layers));
      tool("sh", "-ec", "cd \"$1\"; umask 022; " + script, "sh", root.toString());
      Path archive = folder.resolve("layer-" + layers + ".tar");
      tool("tar", "-C", root.toString(), "-cf", archive.toString(), ".");
      return archive(archive);
    }

    /** Adds a layer that is an archive. */
    public Draft archive(Path archive) throws IOException {
      tool("umoci", "raw", "add-layer", "--image", layout + ":image", archive.toString());
      return this;
    }

    /** Adds options of {@code umoci config}. */
    public Draft config(String... more) {
      options.addAll(List.of(more));
      return this;
    }

    /** Gives it to the registry; its digest there. */
    public String push(String nameAndTag) throws IOException {
      if (!options.isEmpty()) {
        List<String> command = new ArrayList<>(List.of("umoci", "config", "--image"));
        command.add(layout + ":image");
        command.addAll(options);
        tool(command.toArray(String[]::new));
      }
      Path digest = folder.resolve("digest");
      tool(
          "skopeo",
          "--insecure-policy",
          "copy",
          "--quiet",
          "--dest-tls-verify=false",
          "--digestfile",
          digest.toString(),
          "oci:" + layout + ":image",
          "docker://" + name() + "/" + nameAndTag);
      return Files.readString(digest).strip();
    }
  }

  /** An image without layers. */
  public Draft empty() throws IOException {
    Path layout = folder.resolve("layout-" + ++layers);
    tool("umoci", "init", "--layout", layout.toString());
    tool("umoci", "new", "--image", layout + ":image");
    return new Draft(layout);
  }

  /** An image with busybox and a file that holds a word. */
  public Draft tiny(String word) throws IOException {
    return empty()
        .layer(
            """
            mkdir -p bin etc tmp usr var; cp /bin/busybox bin/busybox
            for p in sh sleep cat stat id ls env readlink touch pwd test echo mkdir tail head mv rm setsid; do
              ln -s busybox bin/$p
            done
            echo "%s" > word
            """
                .formatted(word));
  }

  /** Puts a manifest as it is under a tag. */
  public void putManifest(String name, String tag, String type, String manifest) throws Exception {
    HttpResponse<String> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(
                        URI.create("http://" + name() + "/v2/" + name + "/manifests/" + tag))
                    .header("Content-Type", type)
                    .PUT(HttpRequest.BodyPublishers.ofString(manifest))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    if (answer.statusCode() != 201) {
      throw new IOException("the registry says " + answer.statusCode() + ": " + answer.body());
    }
  }

  private static void tool(String... command) throws IOException {
    Command.Result result = Command.run(TOOL_SECONDS, List.of(command));
    if (!result.ok()) {
      throw new IOException(List.of(command) + ": " + result.output());
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    process.onExit().join();
  }
}
