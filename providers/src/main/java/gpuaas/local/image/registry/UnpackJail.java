package gpuaas.local.image.registry;

import gpuaas.local.image.IdRange;
import gpuaas.local.image.registry.PullFailed.Reason;
import gpuaas.local.image.registry.WatchedProcess.Said;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Unpacks layers by {@code umoci}, in a user namespace with the ids of environments. So files get
 * the owners that environments see, and whatever a layer points at, only what environments' root
 * may write can be written.
 *
 * @param program where umoci is
 * @param place an empty folder that everybody may walk to; each process sees its own folder there,
 *     and it is the mark of its processes
 */
record UnpackJail(Path program, Path place) {

  /** The name of an image in its layout. */
  static final String IMAGE = "image";

  /** The folders in a draft. */
  static final String LAYOUT = "layout";

  static final String ROOT = "root";

  /**
   * Shows the draft and the blobs at the place, to this process and its children alone; then
   * becomes root of environments, once the ids have been written, and nothing if its parent is
   * gone.
   */
  private static final String ENTER =
      """
      mount --bind "$1" "$3" && mount --bind "$2" "$3/layout/blobs" && shift 3 &&
      exec unshare --user --keep-caps -- /bin/sh -c 'echo ready; read _ && exec "$@"' sh "$@"
      """;

  /** What marks the processes. */
  String mark() {
    return place.resolve(ROOT).toString();
  }

  /** Unpacks the layout of a draft beside it. */
  void unpack(Reference reference, Path draft, Path blobs, WatchedProcess watch)
      throws IOException, InterruptedException {
    Files.createDirectories(place);
    IdRange.SHIFTED.give(draft, 0, 0);
    List<String> command = new ArrayList<>();
    command.addAll(List.of("unshare", "--mount", "--propagation", "private", "--"));
    command.addAll(List.of("/bin/sh", "-c", ENTER, "sh"));
    command.addAll(List.of(draft.toString(), blobs.toString(), place.toString()));
    command.addAll(List.of("setpriv", "--reuid", "0", "--regid", "0", "--clear-groups"));
    command.add(program.toString());
    command.addAll(List.of("raw", "unpack", "--image", place.resolve(LAYOUT) + ":" + IMAGE));
    command.add(mark());
    Said said = watch.run(new ProcessBuilder(command), UnpackJail::enter);
    if (said.exitCode() != 0) {
      throw failure(reference, said.error() + "\n" + said.output());
    }
  }

  private static void enter(Process process) throws IOException {
    byte[] ready = process.getInputStream().readNBytes(6);
    if (ready.length < 6) {
      return;
    }
    String ids = "0 " + IdRange.SHIFTED.first() + " " + IdRange.SHIFTED.size() + "\n";
    for (String map : List.of("uid_map", "gid_map")) {
      Files.writeString(Path.of("/proc", Long.toString(process.pid()), map), ids);
    }
    process.getOutputStream().write("\n".getBytes(StandardCharsets.US_ASCII));
  }

  private static PullFailed failure(Reference reference, String said) {
    String all = said.toLowerCase(Locale.ROOT);
    if (all.contains("no space left") || all.contains("disk quota exceeded")) {
      return new PullFailed(
          Reason.NO_SPACE, "this machine has no room left for the image " + reference.text());
    }
    if (all.contains("chown") && all.contains("invalid argument")) {
      return Manifest.unusable(
          reference, "a file in it belongs to an id beyond " + (IdRange.SHIFTED.size() - 1));
    }
    List<String> lines =
        said.lines().map(String::strip).filter(line -> line.contains("create rootfs")).toList();
    return Manifest.unusable(
        reference, Skopeo.words(lines.isEmpty() ? said : lines.getFirst().replace("⨯", "")));
  }
}
