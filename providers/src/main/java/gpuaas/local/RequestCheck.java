package gpuaas.local;

import gpuaas.spi.ExecRequest;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.ProviderException.OfferGone;
import gpuaas.spi.ProviderException.Rejected;
import gpuaas.spi.disk.DiskRequest;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** What no request may hold, whoever sends it. */
final class RequestCheck {

  private static final Pattern HOST_NAME = Pattern.compile("[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?");
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
  private static final Pattern TERMINAL = Pattern.compile("[A-Za-z0-9._+-]{0,64}");
  private static final int GANG_MOST = 250;
  private static final int MOST_VARIABLES = 256;
  private static final int MOST_TEXT = 128 * 1024;

  private RequestCheck() {}

  static void check(InstanceRequest request, LocalNode node) {
    String model = request.offer().gpu().model();
    if (!node.models().contains(model)) {
      throw new OfferGone("this machine has no GPU of model " + model);
    }
    if (!request.node().isEmpty() && !node.isNode(request.node())) {
      throw new Rejected("the node " + request.node() + " is not this one: " + node.name());
    }
    if (!HOST_NAME.matcher(request.hostName()).matches()) {
      throw new Rejected(
          "a host name has lower-case letters, digits and dashes, at most 63: "
              + request.hostName());
    }
    check(request.environment());
    request.homeDisk().ifPresent(DiskRequest::requireId);
    request
        .launch()
        .beyondDisk()
        .ifPresent(what -> {
          throw new Rejected("an environment of this machine cannot begin with " + what);
        });
  }

  static void checkGang(InstanceRequest request, Driver driver) {
    if (request.membership().isPresent() && !driver.connectsGangs()) {
      throw new Rejected(
          "members of a gang reach each other only where this program is root and runc and ip"
              + " (Debian packages runc, iproute2) are installed");
    }
    request
        .membership()
        .filter(member -> member.size() > GANG_MOST)
        .ifPresent(member -> {
          throw new Rejected("a gang has at most " + GANG_MOST + " members on this machine");
        });
  }

  static void check(ExecRequest request) {
    check(request.environment());
    check(request.command(), "the command");
    request
        .terminal()
        .filter(terminal -> !TERMINAL.matcher(terminal.type()).matches())
        .ifPresent(terminal -> {
          throw new Rejected("this cannot be the type of a terminal: " + terminal.type());
        });
  }

  private static void check(Map<String, String> variables) {
    if (variables.size() > MOST_VARIABLES) {
      throw new Rejected("at most " + MOST_VARIABLES + " environment variables");
    }
    for (String name : variables.keySet()) {
      if (!VARIABLE.matcher(name).matches()) {
        throw new Rejected("this cannot be the name of an environment variable: " + name);
      }
    }
    check(List.copyOf(variables.values()), "the environment variables");
  }

  private static void check(List<String> texts, String what) {
    if (texts.stream().mapToLong(String::length).sum() > MOST_TEXT) {
      throw new Rejected(what + " have more than " + MOST_TEXT + " characters");
    }
    if (texts.stream().anyMatch(text -> text.indexOf('\0') >= 0)) {
      throw new Rejected("no character in " + what + " may be zero");
    }
  }
}
