package gpuaas.local.image.registry;

import gpuaas.local.image.registry.Manifest.Resolved;
import gpuaas.local.image.registry.PullFailed.Reason;
import gpuaas.local.image.registry.WatchedProcess.Said;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * The program {@code skopeo}, which speaks with registries. It gets a configuration of its own, so
 * that no log-in and no registry of whoever runs the server is used by chance. If the machine has a
 * policy on signatures, that holds.
 *
 * @param program where it is
 * @param configuration the file with the registries; also the mark of its processes
 */
record Skopeo(Path program, Path configuration, RegistrySettings settings) {

  private static final Path POLICY = Path.of("/etc/containers/policy.json");
  private static final int WORDS_MOST = 300;

  /** Writes its configuration. */
  void configure() throws IOException {
    StringBuilder text = new StringBuilder("unqualified-search-registries = []\n");
    Set<String> named = new TreeSet<>(settings.insecure());
    named.addAll(settings.allowed());
    named.addAll(settings.mirrors().keySet());
    if (settings.onLoopback()) {
      named.addAll(List.of("localhost", "127.0.0.1")); // at any port
    }
    for (String registry : named) {
      String asked = settings.mirrors().getOrDefault(registry, registry);
      boolean insecure = settings.insecure().contains(asked) || isLoopback(asked);
      text.append("\n[[registry]]\nprefix = \"").append(registry).append('"');
      text.append("\nlocation = \"").append(asked).append('"');
      text.append("\ninsecure = ").append(insecure).append('\n');
    }
    Files.writeString(configuration, text);
  }

  private static boolean isLoopback(String registry) {
    return registry.matches("(localhost|127(\\.[0-9]{1,3}){3})(:[0-9]+)?");
  }

  /** Asks the registry which image is meant. */
  Resolved resolve(Reference reference, WatchedProcess watch)
      throws IOException, InterruptedException {
    requireAllowed(reference);
    Resolved listed = inspect(reference, watch);
    if (listed.digest().equals(listed.asked())) {
      return listed;
    }
    // What is in a list is looked at before anything of it is fetched.
    Resolved one = inspect(reference.at(listed.digest()), watch);
    return new Resolved(one.digest(), listed.asked());
  }

  private Resolved inspect(Reference reference, WatchedProcess watch)
      throws IOException, InterruptedException {
    List<String> command = base(watch);
    command.addAll(List.of("inspect", "--raw"));
    settings
        .credentials()
        .ifPresentOrElse(
            file -> command.addAll(List.of("--authfile", file.toString())),
            () -> command.add("--no-creds"));
    command.add(reference.address());
    Said said = watch.run(builder(command), _ -> {});
    if (said.exitCode() != 0) {
      throw failure(reference, said.error());
    }
    return Manifest.resolve(said.output(), reference, (long) settings.sizeGib() << 30);
  }

  /** Fetches an image that is known by its digest into a layout; blobs that are there stay. */
  void copy(Reference pinned, Path layout, Path blobs, WatchedProcess watch)
      throws IOException, InterruptedException {
    List<String> command = base(watch);
    command.addAll(List.of("copy", "--quiet", "--retry-times", "1"));
    settings
        .credentials()
        .ifPresentOrElse(
            file -> command.addAll(List.of("--src-authfile", file.toString())),
            () -> command.add("--src-no-creds"));
    command.addAll(List.of("--dest-shared-blob-dir", blobs.toString()));
    command.addAll(List.of(pinned.address(), "oci:" + layout + ":" + UnpackJail.IMAGE));
    Said said = watch.run(builder(command), _ -> {});
    if (said.exitCode() != 0) {
      throw failure(pinned, said.error());
    }
  }

  private List<String> base(WatchedProcess watch) {
    List<String> command = new ArrayList<>(List.of(program.toString()));
    command.addAll(List.of("--registries-conf", configuration.toString()));
    command.addAll(List.of("--tmpdir", watch.folder().toString()));
    command.addAll(List.of("--override-os", "linux", "--override-arch", "amd64"));
    if (!Files.exists(POLICY)) {
      command.add("--insecure-policy");
    }
    return command;
  }

  private ProcessBuilder builder(List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    // Where else it would look for log-ins and registries.
    builder
        .environment()
        .keySet()
        .removeAll(
            Set.of(
                "XDG_RUNTIME_DIR",
                "XDG_CONFIG_HOME",
                "REGISTRY_AUTH_FILE",
                "CONTAINERS_REGISTRIES_CONF",
                "DOCKER_CONFIG"));
    builder.environment().put("HOME", configuration.resolveSibling("nobody").toString());
    return builder;
  }

  private void requireAllowed(Reference reference) throws PullFailed {
    String registry = reference.registry();
    if (!settings.allows(registry)) {
      throw new PullFailed(
          Reason.NOT_ALLOWED,
          "the registry " + registry + " may not be used here (image-registries)");
    }
    if (settings.names(registry)) {
      return;
    }
    try {
      for (InetAddress address : InetAddress.getAllByName(reference.host())) {
        if (isPrivate(address) && !(settings.onLoopback() && address.isLoopbackAddress())) {
          throw new PullFailed(
              Reason.NOT_ALLOWED,
              "the registry "
                  + registry
                  + " is at a private address, and no setting names it (image-registries)");
        }
      }
    } catch (UnknownHostException unknown) {
      if (System.getenv("HTTPS_PROXY") == null && System.getenv("https_proxy") == null) {
        throw new PullFailed(
            Reason.UNREACHABLE, "the registry " + registry + " is unknown: no such host");
      }
    }
  }

  private static boolean isPrivate(InetAddress address) {
    byte[] bytes = address.getAddress();
    boolean local6 = bytes.length == 16 && (bytes[0] & 0xfe) == 0xfc;
    boolean carrier = bytes.length == 4 && bytes[0] == 100 && (bytes[1] & 0xc0) == 64;
    return address.isLoopbackAddress()
        || address.isAnyLocalAddress()
        || address.isLinkLocalAddress()
        || address.isSiteLocalAddress()
        || address.isMulticastAddress()
        || local6
        || carrier;
  }

  /** What it said, as a sentence for whoever asked for the image. */
  static PullFailed failure(Reference reference, String error) {
    String all = error.toLowerCase(Locale.ROOT);
    String name = reference.text();
    if (has(all, "no space left", "disk quota exceeded")) {
      return new PullFailed(Reason.NO_SPACE, "this machine has no room left for the image " + name);
    }
    if (has(all, "manifest unknown", "name unknown", "repository name not known", "status 404")) {
      return new PullFailed(
          Reason.UNKNOWN, "there is no image " + name + " in the registry " + reference.registry());
    }
    if (has(all, "unauthorized", "authentication required", "access to the resource is denied")) {
      return new PullFailed(
          Reason.UNAUTHORIZED,
          "the registry "
              + reference.registry()
              + " wants a log-in for the image "
              + name
              + ", or there is no such image; whoever runs this machine sets image-credentials");
    }
    String words = words(error);
    if (has(
        all,
        "pinging container registry",
        "connection re",
        "no such host",
        "i/o timeout",
        "tls",
        "x509",
        "toomanyrequests",
        "unexpected eof",
        "bad gateway",
        "service unavailable")) {
      return new PullFailed(
          Reason.UNREACHABLE,
          "the registry " + reference.registry() + " cannot be reached: " + words);
    }
    return Manifest.unusable(reference, words);
  }

  private static boolean has(String all, String... parts) {
    for (String part : parts) {
      if (all.contains(part)) {
        return true;
      }
    }
    return false;
  }

  /** The last line, without the trimmings. */
  static String words(String error) {
    String[] lines = error.strip().split("\n");
    String last = lines[lines.length - 1];
    int message = last.indexOf("msg=\"");
    String words = message < 0 ? last : last.substring(message + 5).replace("\\\"", "'");
    words = Manifest.printable(words.replaceAll("\"$", "").strip());
    return words.substring(Math.max(0, words.length() - WORDS_MOST));
  }
}
