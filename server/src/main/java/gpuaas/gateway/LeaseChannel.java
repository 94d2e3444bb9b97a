package gpuaas.gateway;

import gpuaas.spi.ExecRequest;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.sshd.client.future.DefaultOpenFuture;
import org.apache.sshd.client.future.OpenFuture;
import org.apache.sshd.common.SshConstants;
import org.apache.sshd.common.channel.Channel;
import org.apache.sshd.common.channel.ChannelFactory;
import org.apache.sshd.common.channel.PtyMode;
import org.apache.sshd.common.channel.RequestHandler.Result;
import org.apache.sshd.common.channel.exception.SshChannelOpenException;
import org.apache.sshd.common.session.Session;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.channel.ChannelSession;
import org.apache.sshd.server.session.ServerSession;
import org.jspecify.annotations.Nullable;

/**
 * A channel for one shell, command or file transfer. Whether the client may still come in is looked
 * up when it opens. Everything runs inside the instance; nothing of this host is offered.
 */
final class LeaseChannel extends ChannelSession {

  private static final Pattern LANGUAGE = Pattern.compile("LANG|LC_[A-Z]{1,32}");
  private static final Pattern TERMINAL_TYPE = Pattern.compile("[A-Za-z0-9._+-]{1,64}");
  private static final int LONGEST_VALUE = 256;
  private static final int MOST_VARIABLES = 32;

  /** As a log-in does: a command line is for the user's shell, whichever that is. */
  private static final String BY_SHELL =
      "s=${SHELL:-/bin/bash}; [ -x \"$s\" ] || s=/bin/sh; exec \"$s\" -c \"$0\"";

  /** Where the distributions keep it. */
  private static final String SFTP =
      "for f in /usr/lib/openssh /usr/libexec/openssh /usr/libexec /usr/lib/ssh; do"
          + " [ -x $f/sftp-server ] && exec $f/sftp-server; done;"
          + " echo 'There is no sftp-server in this image: install openssh-sftp-server, or use"
          + " scp -O.' >&2; exit 127";

  private final Visits visits;
  private final Map<String, String> variables = new HashMap<>();
  private Optional<ExecRequest.Terminal> terminal = Optional.empty();
  private @Nullable Door door;
  private @Nullable LeaseCommand command;
  private @Nullable Visit placed;
  private long window;

  private LeaseChannel(Visits visits) {
    super(List.of());
    this.visits = visits;
  }

  static ChannelFactory factory(Visits visits) {
    return new ChannelFactory() {
      @Override
      public String getName() {
        return "session";
      }

      @Override
      public Channel createChannel(Session session) {
        return new LeaseChannel(visits);
      }
    };
  }

  @Override
  protected OpenFuture doInit(Buffer buffer) {
    Visit visit = Visits.of(getSession());
    Optional<Door> found = visit == null ? Optional.empty() : visits.admit(visit);
    if (visit != null && found.isPresent() && visits.takePlace(visit)) {
      placed = visit;
      door = found.get();
      return super.doInit(buffer);
    }
    OpenFuture refused = new DefaultOpenFuture(this, this);
    refused.setException(
        new SshChannelOpenException(
            getChannelId(), SshConstants.SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, "not allowed"));
    close(true);
    return refused;
  }

  @Override
  protected void configureWindow() {
    if (window == 0) {
      window = visits.windows().take();
      CoreModuleProperties.WINDOW_SIZE.set(this, window);
    }
    super.configureWindow();
  }

  @Override
  protected void doWriteData(byte[] data, int offset, long length) throws IOException {
    try {
      super.doWriteData(data, offset, length);
    } catch (IOException e) {
      if (!isClosing()) { // else it came while the command ended, which is nobody's fault
        throw e;
      }
    }
  }

  @Override
  protected void preClose() {
    visits.windows().giveBack(window);
    if (placed != null) {
      placed.leavePlace();
    }
    super.preClose();
  }

  /** Only the language: any other variable could change what runs in the instance. */
  @Override
  protected Result handleEnvParsed(String name, String value) {
    if (!LANGUAGE.matcher(name).matches()
        || value.length() > LONGEST_VALUE
        || value.indexOf('\0') >= 0
        || variables.size() >= MOST_VARIABLES) {
      return Result.ReplyFailure;
    }
    variables.put(name, value);
    return Result.ReplySuccess;
  }

  @Override
  protected Result handlePtyReqParsed(
      String type, int columns, int rows, int width, int height, Map<PtyMode, Integer> modes) {
    String known = TERMINAL_TYPE.matcher(type).matches() ? type : "dumb";
    terminal = Optional.of(new ExecRequest.Terminal(known, columns, rows));
    return Result.ReplySuccess;
  }

  @Override
  protected Result handleWindowChangeParsed(int columns, int rows, int width, int height) {
    if (command != null) {
      command.resize(columns, rows);
    }
    return Result.ReplySuccess;
  }

  @Override
  protected Result handleSignalParsed(String name) {
    if (command != null && name.length() <= 16) {
      command.signal(name);
    }
    return Result.ReplySuccess;
  }

  @Override
  protected Result handleBreakParsed(long milliseconds) {
    return handleSignalParsed("INT");
  }

  @Override
  protected Result handleShellParsed(String request) throws IOException {
    return prepare(request, List.of());
  }

  @Override
  protected Result handleExecParsed(String request, String commandLine) throws IOException {
    if (commandLine.indexOf('\0') >= 0) {
      return Result.ReplyFailure;
    }
    return prepare(request, List.of("/bin/sh", "-c", BY_SHELL, commandLine));
  }

  @Override
  protected Result handleSubsystemParsed(String request, String subsystem) throws IOException {
    return subsystem.equals("sftp")
        ? prepare(request, List.of("/bin/sh", "-c", SFTP))
        : Result.ReplyFailure;
  }

  @Override
  protected Result handleAgentForwardingParsed(String request) {
    return Result.ReplyFailure;
  }

  @Override
  protected Result handleX11ForwardingParsed(
      String request,
      ServerSession session,
      boolean singleConnection,
      String protocol,
      String cookie,
      int screen) {
    return Result.ReplyFailure;
  }

  private Result prepare(String request, List<String> line) throws IOException {
    Visit visit = Visits.of(getSession());
    if (door == null || visit == null) {
      return Result.ReplyFailure;
    }
    Map<String, String> all = new HashMap<>(door.environment());
    all.putAll(variables);
    command = new LeaseCommand(door, new ExecRequest(line, terminal, all), visit);
    commandInstance = command;
    return prepareChannelCommand(request, command);
  }
}
