package gpuaas.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.access.SshKey;
import gpuaas.local.pty.TerminalProcess;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.InstanceRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

/** A gateway with one lease, and the OpenSSH programs of this machine to try it with. */
final class Lab implements AutoCloseable {

  static final UUID LEASE = UUID.fromString("7b0e7a52-5a3b-4b6e-9c37-0f3b8a1d2e4f");

  final Path folder;
  final Path home;
  final SshGateway gateway;
  final Activity activity = new Activity(InstantSource.system());
  final List<String> log = new CopyOnWriteArrayList<>();
  volatile List<SshKey> holders;
  volatile boolean open = true;
  volatile boolean broken;
  final AtomicInteger lookUps = new AtomicInteger();

  /** How a program ended. */
  record Ran(int code, Path file, String error) {
    byte[] output() {
      try {
        return Files.readAllBytes(file);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    String text() {
      return new String(output(), StandardCharsets.UTF_8);
    }

    Ran fine() {
      assertThat(code).as(error + text()).isZero();
      return this;
    }
  }

  Lab(Path folder, UnaryOperator<GatewaySettings> change) throws Exception {
    this.folder = folder;
    home = Files.createDirectory(folder.resolve("home"));
    holders = List.of(makeKey("key", "ed25519"));
    HostExec host = new HostExec(home);
    Doors doors = name -> find(name, host);
    GatewaySettings settings =
        change.apply(GatewaySettings.defaults(folder.resolve("keys").resolve("host")));
    gateway = new SshGateway(settings, doors, new Notes(), activity);
    gateway.start();
    StringBuilder known = new StringBuilder();
    for (SshKey key : gateway.hostKeys()) {
      known.append("[127.0.0.1]:" + gateway.port() + " " + key.line() + "\n");
    }
    Files.writeString(folder.resolve("known"), known);
  }

  private Optional<Door> find(String name, HostExec host) {
    lookUps.incrementAndGet();
    if (broken) {
      throw new IllegalStateException("no database");
    }
    return open && (name.equals(LEASE.toString()) || name.equals("alias"))
        ? Optional.of(
            new Door(
                LEASE,
                new InstanceRef("local", "i1"),
                host,
                Optional.of(host),
                holders,
                Map.of("HOSTNAME", "gpu-1")))
        : Optional.empty();
  }

  private final class Notes implements SessionLog {
    @Override
    public void opened(Session session) {
      log.add("opened " + session.lease() + " " + session.keyFingerprint());
    }

    @Override
    public void closed(Session session, long bytesIn, long bytesOut) {
      log.add("closed " + session.lease() + " " + bytesIn + " " + bytesOut);
    }

    @Override
    public void refused(String userName, String fingerprint, String address, Refusal reason) {
      log.add("refused " + userName + " " + fingerprint + " " + address + " " + reason);
    }
  }

  /** Makes a pair of keys with ssh-keygen; its private file has the name. */
  SshKey makeKey(String name, String... type) throws Exception {
    List<String> command = new ArrayList<>(List.of("ssh-keygen", "-q", "-N", "", "-C", name, "-t"));
    command.addAll(List.of(type));
    command.addAll(List.of("-f", folder.resolve(name).toString()));
    run(new byte[0], command).fine();
    return SshKey.parse(Files.readString(folder.resolve(name + ".pub")));
  }

  /** The options that every client gets. */
  List<String> options(String key) {
    List<String> options = new ArrayList<>(List.of("-F", "none", "-i", file(key)));
    for (String option :
        List.of(
            "UserKnownHostsFile=" + file("known"),
            "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=yes",
            "IdentitiesOnly=yes",
            "BatchMode=yes",
            "LogLevel=ERROR")) {
      options.addAll(List.of("-o", option));
    }
    return options;
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  /** {@code ssh} with the good key to the lease, and these arguments behind. */
  List<String> ssh(String... arguments) {
    List<String> command = new ArrayList<>(List.of("ssh"));
    command.addAll(options("key"));
    command.addAll(List.of("-p", "" + gateway.port(), LEASE + "@127.0.0.1"));
    command.addAll(List.of(arguments));
    return command;
  }

  /** Another program of OpenSSH, which wants the port as {@code -P}. */
  List<String> client(String program, String... arguments) {
    List<String> command = new ArrayList<>(List.of(program));
    command.addAll(options("key"));
    command.addAll(List.of("-P", "" + gateway.port()));
    command.addAll(List.of(arguments));
    return command;
  }

  Ran run(String... remote) throws Exception {
    return run(new byte[0], ssh(remote));
  }

  /** Runs a program of this machine to its end, with this input. */
  Ran run(byte[] input, List<String> command) throws Exception {
    Path in = Files.createTempFile(folder, "in", "");
    Path out = Files.createTempFile(folder, "out", "");
    Path err = Files.createTempFile(folder, "err", "");
    Files.write(in, input);
    Process process =
        new ProcessBuilder(command)
            .redirectInput(in.toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new AssertionError("hangs: " + command + Files.readString(err));
    }
    return new Ran(process.exitValue(), out, Files.readString(err));
  }

  /** Starts a client that goes on; its output is thrown away. */
  Process background(List<String> command) throws IOException {
    return new ProcessBuilder(command)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }

  /** A client with a terminal of its own, as a person has one. */
  static TerminalProcess person(List<String> command) {
    return TerminalProcess.start(
        command,
        Map.of("PATH", "/usr/bin:/bin", "LANG", "C.UTF-8"),
        new ExecRequest.Terminal("xterm-256color", 132, 40));
  }

  static void eventually(String what, java.util.function.Supplier<Boolean> condition) {
    gpuaas.spi.Eventually.within(Duration.ofSeconds(20), what, condition);
  }

  @Override
  public void close() {
    gateway.close();
  }
}
