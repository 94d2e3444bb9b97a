package gpuaas.local.bubblewrap;

import gpuaas.local.Driver;
import gpuaas.local.Environment;
import gpuaas.local.EnvironmentFolder;
import gpuaas.local.Greeting;
import gpuaas.local.StepHook;
import gpuaas.local.StepHook.Step;
import gpuaas.local.gpu.ContainerEdits;
import gpuaas.local.image.IdRange;
import gpuaas.local.image.Image;
import gpuaas.local.linux.Command;
import gpuaas.local.linux.InsideChannel;
import gpuaas.local.linux.MarkedProcesses;
import gpuaas.local.linux.NetworkDoor;
import gpuaas.local.linux.Processes.Identity;
import gpuaas.local.linux.SystemCalls;
import gpuaas.local.pty.PipeProcess;
import gpuaas.local.pty.TerminalProcess;
import gpuaas.spi.Assurance.Isolation;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Environments by {@code bwrap}. Nothing of one exists but its folder, its processes, and, when
 * root made it, one mount. The processes are found by the environment's id among their arguments,
 * so no note of them can be lost.
 */
public final class BubblewrapDriver implements Driver {

  private static final String PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  private static final Map<String, String> HOST_VARIABLES = Map.of("PATH", PATH);
  private static final long START_SECONDS = 10;
  private static final long MS_BIND = 4096;

  /** Its last word, the id, is what marks it; the shell collects the dead while it waits. */
  private static final String FIRST_PROCESS = "while :; do sleep 2147483647 & wait $!; done";

  private final Path program;
  private final Path runtimeFolder;
  private final boolean root;
  private final StepHook steps;
  private final ConcurrentMap<String, Identity> firstProcesses = new ConcurrentHashMap<>();
  private final AtomicLong execNumber = new AtomicLong();

  /**
   * Opens the driver.
   *
   * @param runtimeFolder used by root alone: a path that everybody may walk
   */
  public BubblewrapDriver(Path program, Path runtimeFolder, boolean root, StepHook steps) {
    this.program = program;
    this.runtimeFolder = runtimeFolder;
    this.root = root;
    this.steps = steps;
  }

  /** Who owns the files of environments, from outside. */
  public static IdRange ids(boolean root) {
    return root ? IdRange.SHIFTED : IdRange.UNSHIFTED;
  }

  @Override
  public String name() {
    return "bubblewrap";
  }

  @Override
  public Isolation isolation() {
    return Isolation.BASIC;
  }

  @Override
  public void start(
      EnvironmentFolder folder,
      Environment environment,
      Image image,
      ContainerEdits edits,
      Optional<Path> home)
      throws IOException {
    if (!image.isHost() || !edits.devices().isEmpty() || !edits.mounts().isEmpty()) {
      throw new IOException("bubblewrap gives neither images nor devices; install runc");
    }
    Path files = makeFiles(folder, environment, image, edits);
    steps.after(Step.FILES);
    if (root) {
      IdRange.SHIFTED.makePrivateFolder(runtimeFolder.resolve(folder.id()));
      Files.createDirectories(mountPoint(folder));
      SystemCalls.mount(files.toString(), mountPoint(folder), "", MS_BIND, "");
    }
    steps.after(Step.MOUNTED);
    List<String> command =
        commandLine(root ? mountPoint(folder) : files, environment, image, edits, home);
    steps.after(Step.CONFIGURED);
    Process process =
        new ProcessBuilder(command)
            .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(folder.resolve("bwrap.log").toFile())
            .start();
    steps.after(Step.STARTED);
    awaitFirstProcess(folder, process);
    steps.after(Step.CONFINED);
  }

  private static Path makeFiles(
      EnvironmentFolder folder, Environment environment, Image image, ContainerEdits edits)
      throws IOException {
    Path files = folder.resolve("files");
    int copied =
        Command.runSilently(60, List.of("cp", "-a", image.root().toString(), files.toString()));
    if (copied != 0) {
      throw new IOException("the root folder could not be copied to " + files);
    }
    Path etc = files.resolve("etc");
    Files.writeString(etc.resolve("hostname"), environment.hostName() + "\n");
    Files.writeString(etc.resolve("hosts"), "127.0.0.1 localhost " + environment.hostName() + "\n");
    Files.writeString(etc.resolve("resolv.conf"), "");
    Files.writeString(etc.resolve("motd"), Greeting.of(environment, edits));
    return files;
  }

  private List<String> commandLine(
      Path files, Environment environment, Image image, ContainerEdits edits, Optional<Path> home) {
    List<String> line = new ArrayList<>(List.of("setsid"));
    if (root) {
      // As an unprivileged user, so that root inside is nobody outside.
      String id = Integer.toString(IdRange.SHIFTED.first());
      line.addAll(List.of("setpriv", "--reuid", id, "--regid", id, "--clear-groups"));
    }
    line.add(program.toString());
    line.addAll(List.of("--unshare-user", "--uid", "0", "--gid", "0"));
    line.addAll(List.of("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"));
    line.addAll(List.of("--unshare-cgroup-try", "--hostname", environment.hostName()));
    line.addAll(List.of("--bind", files.toString(), "/"));
    for (Path shown : image.hostFolders()) {
      line.addAll(List.of("--ro-bind", shown.toString(), shown.toString()));
    }
    home.ifPresent(disk -> line.addAll(List.of("--bind", disk.toString(), "/root")));
    line.addAll(List.of("--proc", "/proc", "--dev", "/dev", "--chdir", "/root", "--clearenv"));
    variables(environment, edits)
        .forEach((name, value) -> line.addAll(List.of("--setenv", name, value)));
    line.addAll(List.of("--as-pid-1", "/bin/sh", "-c", FIRST_PROCESS, environment.id()));
    return line;
  }

  private static Map<String, String> variables(Environment environment, ContainerEdits edits) {
    Map<String, String> variables = new TreeMap<>(environment.variables());
    variables.putAll(edits.variables());
    variables.putAll(Map.of("PATH", PATH, "HOME", "/root", "USER", "root", "LANG", "C.UTF-8"));
    variables.put("SHELL", Files.isExecutable(Path.of("/bin/bash")) ? "/bin/bash" : "/bin/sh");
    return variables;
  }

  private void awaitFirstProcess(EnvironmentFolder folder, Process process) throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (firstProcess(folder.id()).isEmpty()) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new IOException(
            "bwrap did not come up: " + Files.readString(folder.resolve("bwrap.log")).strip());
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
    }
  }

  /** Nobody filters its calls. */
  @Override
  public boolean keepsQuotas() {
    return false;
  }

  @Override
  public boolean isAlive(EnvironmentFolder folder) {
    return firstProcess(folder.id()).isPresent();
  }

  /** There is no limit to hold it to. */
  @Override
  public boolean holdsProcessors(EnvironmentFolder folder) {
    return false;
  }

  /** Nobody counts it: processes that have ended are forgotten. */
  @Override
  public Optional<Duration> processorTime(EnvironmentFolder folder) {
    return Optional.empty();
  }

  @Override
  public ExecChannel exec(EnvironmentFolder folder, ExecRequest request) throws IOException {
    Identity first = requireFirst(folder);
    Path pidFile = folder.resolve("exec-" + execNumber.incrementAndGet() + "-" + System.nanoTime());
    List<String> line = new ArrayList<>(noteAndRun(pidFile));
    line.addAll(List.of("nsenter", "--target", Long.toString(first.pid())));
    line.addAll(List.of("--user", "--mount", "--pid", "--net", "--ipc", "--uts", "--root"));
    if (!root) {
      // The user is root inside already, and may not change to anybody else.
      line.add("--preserve-credentials");
    }
    // What comes in by this door must have no more than what was there from the start.
    line.addAll(List.of("setpriv", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"));
    line.addAll(List.of("env", "-i"));
    environment(folder, request).forEach((name, value) -> line.add(name + "=" + value));
    line.addAll(inside(request));
    ExecChannel channel =
        request.terminal().isPresent()
            ? TerminalProcess.start(line, HOST_VARIABLES, request.terminal().get())
            : PipeProcess.start(line, HOST_VARIABLES);
    return new InsideChannel(channel, pidFile, "");
  }

  /**
   * The program that enters leads the group of what it starts, so its number is the one to note.
   */
  private static List<String> noteAndRun(Path pidFile) {
    return List.of("/bin/sh", "-c", "echo $$ > \"$0\"; exec \"$@\"", pidFile.toString());
  }

  private static Map<String, String> environment(EnvironmentFolder folder, ExecRequest request)
      throws IOException {
    Environment environment =
        folder.read().orElseThrow(() -> new IOException("the environment is not whole"));
    Map<String, String> variables = variables(environment, ContainerEdits.NONE);
    variables.putAll(request.environment());
    request.terminal().ifPresent(terminal -> variables.put("TERM", terminal.type()));
    return variables;
  }

  private static List<String> inside(ExecRequest request) {
    if (request.command().isEmpty()) {
      return List.of("/bin/sh", "-c", "cd; exec \"$SHELL\" -l");
    }
    List<String> command = new ArrayList<>(List.of("/bin/sh", "-c", "cd; exec \"$@\"", "sh"));
    command.addAll(request.command());
    return command;
  }

  @Override
  public SocketChannel connect(EnvironmentFolder folder, int port) throws IOException {
    if (!root) {
      throw new IOException("only root reaches into an environment's network; install runc");
    }
    return NetworkDoor.connect(requireFirst(folder), port);
  }

  @Override
  public void remove(EnvironmentFolder folder) throws IOException {
    MarkedProcesses.end("bwrap", folder.id());
    MarkedProcesses.end("sh", folder.id());
    firstProcesses.remove(folder.id());
    if (root) {
      SystemCalls.unmount(mountPoint(folder));
      Files.deleteIfExists(mountPoint(folder));
      Files.deleteIfExists(runtimeFolder.resolve(folder.id()));
    }
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(runtimeFolder);
    } catch (IOException inUse) {
      // The mounts of living environments are in it.
    }
  }

  private Identity requireFirst(EnvironmentFolder folder) throws IOException {
    return firstProcess(folder.id())
        .orElseThrow(() -> new IOException("environment " + folder.id() + " is not running"));
  }

  private Optional<Identity> firstProcess(String id) {
    Identity known = firstProcesses.get(id);
    if (known != null) {
      return Optional.of(known).filter(Identity::isAlive);
    }
    Optional<Identity> found = MarkedProcesses.find("sh", id).stream().findFirst();
    found.ifPresent(process -> firstProcesses.put(id, process));
    return found;
  }

  private Path mountPoint(EnvironmentFolder folder) {
    return runtimeFolder.resolve(folder.id()).resolve("root");
  }
}
