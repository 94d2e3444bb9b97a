package gpuaas.gateway;

import gpuaas.local.pty.PipeProcess;
import gpuaas.local.pty.TerminalProcess;
import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.HasPorts;
import gpuaas.spi.InstanceRef;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** An "instance" that is a folder of this machine. For tests only: it isolates nothing. */
final class HostExec implements HasExec, HasPorts {

  private final Path home;

  HostExec(Path home) {
    this.home = home;
  }

  @Override
  public ExecChannel exec(InstanceRef instance, ExecRequest request) {
    Map<String, String> environment =
        new HashMap<>(
            Map.of(
                "PATH", "/usr/local/bin:/usr/bin:/bin",
                "HOME", home.toString(),
                "SHELL", "/bin/bash",
                "PS1", "$ "));
    environment.putAll(request.environment());
    List<String> command = new ArrayList<>(List.of("env", "-C", home.toString()));
    command.addAll(request.command().isEmpty() ? List.of("bash", "--norc") : request.command());
    Optional<ExecRequest.Terminal> terminal = request.terminal();
    return terminal.isPresent()
        ? TerminalProcess.start(command, environment, terminal.get())
        : PipeProcess.start(command, environment);
  }

  @Override
  public SocketChannel connect(InstanceRef instance, int port) throws IOException {
    return SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
  }
}
