package gpuaas.vastai;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import gpuaas.market.MarketLabel;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceRequest.Launch;
import gpuaas.spi.ProviderException;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** What is asked of the market for a machine, in its words; what it could misread is refused. */
final class VastaiRequest {

  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
  private static final Pattern IMAGE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/:@-]{0,500}");
  private static final Pattern TEMPLATE = Pattern.compile("[A-Za-z0-9_-]{1,128}");
  private static final int VALUE_MOST = 4096;
  private static final int COMMAND_MOST = 4096;
  private static final int PORTS_MOST = 64;
  private static final int PORT_MOST = 65_535;
  private static final int SSH_PORT = 22;

  private final VastaiSettings settings;

  VastaiRequest(VastaiSettings settings) {
    this.settings = settings;
  }

  /** The body of the call that rents; what it leaves out, the template has its say in. */
  ObjectNode body(InstanceRequest request, MarketLabel label, String publicKey) {
    Launch launch = request.launch();
    ObjectNode body = JsonNodeFactory.instance.objectNode();
    body.put("client_id", "me").put("disk", Math.max(settings.diskGb(), launch.diskGb()));
    body.put("label", label.text());
    body.put("target_state", "running").put("cancel_unavail", true);
    from(request, body);
    begin(launch, body);
    if (label.hasShell()) {
      body.put("ssh_key", publicKey); // not reliable: it is attached once more
    }
    body.set("env", environment(request.environment(), launch.ports()));
    return body;
  }

  /** From a template, an image, or both: then the image is another one than the template's. */
  private void from(InstanceRequest request, ObjectNode body) {
    String template = request.launch().template();
    if (!template.isEmpty()) {
      if (!TEMPLATE.matcher(template).matches()) {
        throw new ProviderException.Rejected("not the id of a template");
      }
      body.put("template_hash_id", template);
    }
    if (template.isEmpty() || !request.image().isEmpty()) {
      String image = request.image().isEmpty() ? settings.image() : request.image();
      if (!IMAGE.matcher(image).matches()) {
        throw new ProviderException.Rejected("not the name of an image");
      }
      body.put("image", image);
    }
  }

  private void begin(Launch launch, ObjectNode body) {
    String command = launch.startCommand();
    if (command.length() > COMMAND_MOST) {
      throw new ProviderException.Rejected(
          "a start command has at most " + COMMAND_MOST + " characters there");
    }
    boolean shell = launch.mode() == Launch.Mode.SHELL;
    body.put("runtype", !shell ? "args" : settings.direct() ? "ssh_direct" : "ssh_proxy");
    if (!command.isEmpty()) {
      body.put(shell ? "onstart" : "args_str", command);
    }
  }

  /** Variables and ports share one object there: a name must not be able to be an option. */
  private ObjectNode environment(Map<String, String> variables, List<Integer> ports) {
    ObjectNode env = JsonNodeFactory.instance.objectNode();
    variables.forEach((name, value) -> {
      if (!VARIABLE.matcher(name).matches() || value.length() > VALUE_MOST) {
        throw new ProviderException.Rejected("not a variable: " + name);
      }
      env.put(name, value);
    });
    if (ports.size() > PORTS_MOST) {
      throw new ProviderException.Rejected("a machine opens at most " + PORTS_MOST + " ports");
    }
    settings.ports().forEach(port -> open(port, env));
    ports.forEach(port -> open(port, env));
    return env;
  }

  private static void open(int port, ObjectNode env) {
    if (port < 1 || port > PORT_MOST) {
      throw new ProviderException.Rejected("not a port: " + port);
    }
    if (port != SSH_PORT) { // which is open without being asked for
      env.put("-p " + port + ":" + port, "1");
    }
  }
}
