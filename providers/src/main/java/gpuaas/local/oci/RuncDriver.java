package gpuaas.local.oci;

import gpuaas.local.Driver;
import gpuaas.local.Environment;
import gpuaas.local.EnvironmentFolder;
import gpuaas.local.Greeting;
import gpuaas.local.StepHook;
import gpuaas.local.StepHook.Step;
import gpuaas.local.gpu.ContainerEdits;
import gpuaas.local.image.Image;
import gpuaas.local.linux.InsideChannel;
import gpuaas.local.linux.MarkedProcesses;
import gpuaas.local.linux.NetworkDoor;
import gpuaas.local.linux.Processes.Identity;
import gpuaas.local.pty.PipeProcess;
import gpuaas.local.pty.TerminalProcess;
import gpuaas.spi.Assurance.Isolation;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.OwnerTag;
import gpuaas.spi.gang.Membership;
import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Environments by {@code runc}, as root, each in a user namespace. Three things exist of one beside
 * its folder: a mount, what runc noted, and control groups; {@link #remove} takes all three away
 * whatever the others are like.
 */
public final class RuncDriver implements Driver {

  /** Of the program on the host; what is inside has its own. */
  private static final Map<String, String> HOST_VARIABLES = Map.of("PATH", Bundle.PATH);

  /** A shell looks the program up, and says 127 for one that is not there. */
  private static final List<String> LOOK_UP = List.of("/bin/sh", "-c", "exec \"$@\"", "sh");

  private final Path runtimeFolder;
  private final Runc runc;
  private final Cgroups cgroups;
  private final Seccomp seccomp;
  private final Optional<OutboundNetwork> outbound;
  private final Optional<GangNetwork> gangs;
  private final StepHook steps;
  private final ConcurrentMap<String, Identity> firstProcesses = new ConcurrentHashMap<>();
  private final AtomicLong execNumber = new AtomicLong();

  /**
   * Opens the driver.
   *
   * @param runtimeFolder on a path that everybody may walk, such as {@code /run/…}
   * @param outbound the way to the network outside, if environments have one
   * @param gangs how members of a gang see each other, if they can
   */
  public RuncDriver(
      Path program,
      Path runtimeFolder,
      Cgroups cgroups,
      Optional<OutboundNetwork> outbound,
      Optional<GangNetwork> gangs,
      StepHook steps)
      throws IOException {
    this.runtimeFolder = runtimeFolder;
    this.runc = new Runc(program, runtimeFolder.resolve("runc"));
    this.cgroups = cgroups;
    this.seccomp =
        Seccomp.load(Seccomp.MAINTAINED, System.getProperty("os.arch", ""), Bundle.CAPABILITIES);
    this.outbound = outbound;
    this.gangs = gangs;
    this.steps = steps;
    Files.createDirectories(runtimeFolder);
  }

  @Override
  public String name() {
    return "runc";
  }

  @Override
  public Isolation isolation() {
    return Isolation.STANDARD;
  }

  /** Whether the maintained system call filter is in use, or the short list of our own. */
  public boolean hasMaintainedFilter() {
    return seccomp.maintained();
  }

  @Override
  public void start(
      EnvironmentFolder folder,
      Environment environment,
      Image image,
      ContainerEdits edits,
      Optional<Path> home)
      throws IOException {
    String id = folder.id();
    OverlayRoot root = root(folder);
    String resolver = outbound.map(OutboundNetwork::resolver).orElse("");
    if (!root.hasFiles()) {
      root.makeFiles(
          environment, image, hosts(environment), resolver, Greeting.of(environment, edits));
    }
    steps.after(Step.FILES);
    root.mount(image);
    steps.after(Step.MOUNTED);
    new Bundle(
            environment,
            image,
            edits,
            home,
            root.target(),
            cgroups.pathOf(id),
            cgroups.countsSwap(),
            seccomp)
        .write(folder.path());
    steps.after(Step.CONFIGURED);
    runc.run(id, folder.path());
    steps.after(Step.STARTED);
    cgroups.split(id, environment.pidsLimit());
    steps.after(Step.CONFINED);
    Identity first =
        firstProcess(id).orElseThrow(() -> new IOException("runc noted no process for " + id));
    join(environment, first);
    outbound.ifPresent(network -> network.connectLater(id, first, cgroups.networkProcesses(id)));
  }

  private String hosts(Environment environment) {
    return gangs.flatMap(network -> environment.gang().map(network::hosts)).orElse("");
  }

  private void join(Environment environment, Identity first) throws IOException {
    if (environment.gang().isPresent()) {
      gangs
          .orElseThrow(() -> new IOException("nothing connects the members of gangs here"))
          .join(deployment(environment.id()), environment.gang().get(), first);
    }
  }

  private static String deployment(String id) {
    return Environment.tagOf(id).map(OwnerTag::deployment).orElse("");
  }

  @Override
  public boolean startsAgain() {
    return true;
  }

  @Override
  public boolean connectsGangs() {
    return gangs.isPresent();
  }

  @Override
  public void adopt(EnvironmentFolder folder, Environment environment) throws IOException {
    if (environment.gang().isPresent() && isAlive(folder)) {
      join(environment, firstProcess(folder.id()).orElseThrow());
    }
  }

  /** By the filter of calls. */
  @Override
  public boolean keepsQuotas() {
    return true;
  }

  @Override
  public boolean isAlive(EnvironmentFolder folder) {
    try {
      return isConfined(folder.id())
          && firstProcess(folder.id()).filter(Identity::isAlive).isPresent();
    } catch (IOException unreadable) {
      return false;
    }
  }

  @Override
  public boolean holdsProcessors(EnvironmentFolder folder) {
    return cgroups.holdsProcessors(folder.id());
  }

  @Override
  public Optional<Duration> processorTime(EnvironmentFolder folder) {
    return cgroups.processorTime(folder.id());
  }

  @Override
  public int memoryKills(EnvironmentFolder folder) {
    return cgroups.memoryKills(folder.id());
  }

  @Override
  public ExecChannel exec(EnvironmentFolder folder, ExecRequest request) throws IOException {
    String id = folder.id();
    Environment environment =
        folder.read().orElseThrow(() -> new IOException("environment " + id + " is not whole"));
    String part = cgroups.partWithRoom(id, environment.pidsLimit());
    Path pidFile = folder.resolve("exec-" + execNumber.incrementAndGet() + "-" + System.nanoTime());
    Map<String, String> variables = new HashMap<>(request.environment());
    request.terminal().ifPresent(terminal -> variables.put("TERM", terminal.type()));
    List<String> command =
        runc.execCommand(
            id,
            cgroups.execArgument(part),
            pidFile,
            request.terminal().isPresent(),
            variables,
            inside(request));
    ExecChannel channel =
        request.terminal().isPresent()
            ? TerminalProcess.start(command, HOST_VARIABLES, request.terminal().get())
            : PipeProcess.start(command, HOST_VARIABLES);
    return new InsideChannel(channel, pidFile, cgroups.pathOf(id) + "/");
  }

  @Override
  public SocketChannel connect(EnvironmentFolder folder, int port) throws IOException {
    Identity first =
        firstProcess(folder.id())
            .filter(Identity::isAlive)
            .orElseThrow(() -> new IOException("environment " + folder.id() + " is not running"));
    return NetworkDoor.connect(first, port);
  }

  @Override
  public void remove(EnvironmentFolder folder) throws IOException {
    String id = folder.id();
    if (!isConfined(id)) {
      // Creation was cut short, and the runc of back then may still be at work.
      MarkedProcesses.end(runc.program().getFileName().toString(), id);
    }
    cgroups.end(id);
    Optional<Membership> gang = folder.read().flatMap(Environment::gang);
    if (gang.isPresent() && gangs.isPresent()) {
      gangs.get().leave(deployment(id), gang.get());
    }
    runc.delete(id);
    root(folder).unmount();
    cgroups.remove(id);
    firstProcesses.remove(id);
  }

  /** Takes away what is shared if no environment needs it any more. */
  @Override
  public void close() {
    cgroups.removeBase();
    for (Path folder : List.of(runc.stateFolder(), runtimeFolder)) {
      try {
        Files.deleteIfExists(folder);
      } catch (IOException inUse) {
        return;
      }
    }
  }

  private static List<String> inside(ExecRequest request) {
    List<String> command = new ArrayList<>(LOOK_UP);
    if (request.command().isEmpty()) {
      // The shell's own variable knows which shell the image has.
      return List.of("/bin/sh", "-c", "exec \"$SHELL\" -l");
    }
    command.addAll(request.command());
    return command;
  }

  private boolean isConfined(String id) {
    return Files.exists(cgroups.networkProcesses(id));
  }

  private Optional<Identity> firstProcess(String id) throws IOException {
    Identity known = firstProcesses.get(id);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<Identity> found = runc.firstProcess(id);
    found.ifPresent(process -> firstProcesses.put(id, process));
    return found;
  }

  private OverlayRoot root(EnvironmentFolder folder) {
    return new OverlayRoot(folder.resolve("files"), runtimeFolder.resolve(folder.id()));
  }
}
