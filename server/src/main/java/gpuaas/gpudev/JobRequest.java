package gpuaas.gpudev;

import com.fasterxml.jackson.databind.JsonNode;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.gpudev.wire.Model;
import gpuaas.http.Halt;
import gpuaas.http.Request;
import gpuaas.lease.LeaseSpec;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * What was asked for. The GPUs, the id and the keys travel in the variables, as the original's
 * clients send them (contract 3.4).
 *
 * @param id the caller's, or a new one
 * @param shownId the same as it was written, when that is no UUID
 * @param gpuType in lower case
 * @param gpuCount 0: it has a place without GPUs
 * @param githubUser whose public keys open it; empty: nobody's
 * @param ports to be reached in a browser
 * @param variables of the environment: those that were sent
 */
record JobRequest(
    UUID id,
    Optional<String> shownId,
    String image,
    String instanceType,
    Duration term,
    Optional<String> diskName,
    Optional<Integer> diskGb,
    String gpuType,
    int gpuCount,
    String githubUser,
    boolean jupyter,
    List<Integer> ports,
    Optional<String> name,
    String command,
    Map<String, String> variables) {

  static final int HOURS_MOST = 72;
  private static final int DISK_GB_LEAST = 10;
  private static final int DISK_GB_MOST = 10_000;
  private static final int ID_LENGTH_MOST = 255;
  private static final int NAME_LENGTH_MOST = 200;
  private static final int COMMAND_LENGTH_MOST = 64 * 1024;
  private static final int TEXT_LENGTH_MOST = 512;
  private static final int USER_LENGTH_MOST = 255;
  private static final int TYPE_LENGTH_MOST = 64;
  private static final int VARIABLES_MOST = 200;
  private static final int GPUS_MOST = 1024;
  private static final int PORT_MOST = 65_535;
  private static final String[] NONE = {};
  private static final String PRIORITY = "PRIORITY";
  private static final int MILLIS_PER_HOUR = 3_600_000;

  /** What the original's command line offers at least: five minutes. */
  private static final BigDecimal HOURS_LEAST = new BigDecimal("0.0833");

  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*");

  /**
   * Reads a body; refuses with all that is wrong in it.
   *
   * @param defaultImage for those that name none; empty: they must
   * @param fresh the id of a job that brings none
   */
  static JobRequest of(Request request, Optional<String> defaultImage, UUID fresh) {
    Model body = Model.of(request);
    Optional<String> image =
        defaultImage.isPresent() ? body.text("image") : body.requiredText("image");
    Optional<String> instanceType = body.requiredText("instance_type");
    Optional<BigDecimal> hours = body.decimal("duration_hours", HOURS_LEAST, 1, HOURS_MOST);
    Optional<String> disk = body.text("disk_name");
    Optional<Integer> diskGb = body.integer("disk_size_gb", DISK_GB_LEAST, DISK_GB_MOST);
    Map<String, JsonNode> sent = body.dictionary("env_vars");
    Optional<String> command = body.text("command", 0, COMMAND_LENGTH_MOST);
    body.check();
    requirePlain("image", image.orElse(""));
    requirePlain("instance_type", instanceType.orElseThrow());
    if (command.orElse("").indexOf('\0') >= 0) {
      throw refused("command has a zero character in it");
    }
    Map<String, String> variables = variables(sent);
    Optional<String> asked = value(variables, "RESERVATION_ID");
    asked
        .filter(id -> !ID.matcher(id).matches() || id.length() > ID_LENGTH_MOST)
        .ifPresent(id -> {
          throw refused("RESERVATION_ID must be at most 255 letters, digits or any of . _ -");
        });
    requireShort(variables, "GITHUB_USER", USER_LENGTH_MOST);
    requireShort(variables, "GPU_TYPE", TYPE_LENGTH_MOST);
    Optional<UUID> uuid = asked.flatMap(JobRequest::uuid);
    String type = gpuType(variables, instanceType.orElseThrow());
    return new JobRequest(
        uuid.orElse(fresh),
        asked.filter(_ -> uuid.isEmpty()),
        image.filter(text -> !text.isBlank()).or(() -> defaultImage).orElse(""),
        instanceType.get(),
        term(hours.orElse(BigDecimal.ONE)),
        disk,
        diskGb,
        type,
        gpuCount(variables, type),
        value(variables, "GITHUB_USER").orElse(""),
        value(variables, "JUPYTER_ENABLED").filter("true"::equalsIgnoreCase).isPresent(),
        ports(variables),
        value(variables, "POD_NAME")
            .map(name -> name.substring(0, Math.min(NAME_LENGTH_MOST, name.length()))),
        command.orElse(""),
        variables);
  }

  /** Those with a higher one come first; checked. */
  int priority() {
    String text = value(variables, PRIORITY).orElse("0");
    int priority = text.matches("[+-]?[0-9]{1,4}") ? Integer.parseInt(text) : Integer.MAX_VALUE;
    if (Math.abs((long) priority) > LeaseSpec.PRIORITY_MOST) {
      throw refused(
          PRIORITY
              + " must be a whole number from -"
              + LeaseSpec.PRIORITY_MOST
              + " to "
              + LeaseSpec.PRIORITY_MOST);
    }
    return priority;
  }

  /** Whether it is over when its command is; a variable says otherwise than the settings. */
  boolean endsWithCommand(boolean fallback) {
    return value(variables, "END_WITH_COMMAND").map("true"::equalsIgnoreCase).orElse(fallback);
  }

  private static Duration term(BigDecimal hours) {
    return Duration.ofMillis(
        hours
            .multiply(BigDecimal.valueOf(MILLIS_PER_HOUR))
            .setScale(0, RoundingMode.UP)
            .longValueExact());
  }

  /** They are kept and shown again. */
  private static void requirePlain(String name, String text) {
    if (text.length() > TEXT_LENGTH_MOST || text.chars().anyMatch(Character::isISOControl)) {
      throw refused(
          name
              + " must be at most "
              + TEXT_LENGTH_MOST
              + " characters, none of them a control character");
    }
  }

  private static Map<String, String> variables(Map<String, JsonNode> sent) {
    if (sent.size() > VARIABLES_MOST) {
      throw refused("env_vars must have at most " + VARIABLES_MOST + " variables");
    }
    Map<String, String> variables = new LinkedHashMap<>();
    sent.forEach((name, value) -> {
      if (!VARIABLE.matcher(name).matches()) {
        throw refused(
            "env_vars: " + GpudevErrors.quoted(name) + " cannot be the name of a variable");
      }
      String text = value.isTextual() ? value.textValue() : value.isNull() ? "" : value.toString();
      if (text.indexOf('\0') >= 0) {
        throw refused("env_vars: the value of " + name + " has a zero character in it");
      }
      variables.put(name, text);
    });
    return variables;
  }

  private static void requireShort(Map<String, String> variables, String name, int most) {
    if (value(variables, name).filter(text -> text.length() > most).isPresent()) {
      throw refused(name + " must be at most " + most + " characters");
    }
  }

  private static Optional<String> value(Map<String, String> variables, String name) {
    return Optional.ofNullable(variables.get(name)).map(String::strip).filter(v -> !v.isEmpty());
  }

  private static String gpuType(Map<String, String> variables, String instanceType) {
    return value(variables, "GPU_TYPE")
        .map(type -> type.toLowerCase(Locale.ROOT))
        .or(() -> GpuTypes.ofInstanceType(instanceType))
        .orElseThrow(() ->
            refused(
                "instance_type "
                    + GpudevErrors.quoted(instanceType)
                    + " is not known here; name the GPUs as GPU_TYPE in env_vars"));
  }

  /** {@code PORTS=6006,8000}. */
  private static List<Integer> ports(Map<String, String> variables) {
    List<Integer> ports = new ArrayList<>();
    for (String text : value(variables, "PORTS").map(all -> all.split(",", 1001)).orElse(NONE)) {
      String port = text.strip();
      if (!port.matches("[1-9][0-9]{0,4}") || Integer.parseInt(port) > PORT_MOST) {
        throw refused("PORTS must be numbers from 1 to 65535 with commas between them");
      }
      ports.add(Integer.valueOf(port));
    }
    return List.copyOf(ports);
  }

  private static int gpuCount(Map<String, String> variables, String type) {
    boolean cpu = GpuTypes.isCpu(type);
    String text = value(variables, "GPU_COUNT").orElse(cpu ? "0" : "1");
    if (!text.matches("[0-9]{1,4}") || Integer.parseInt(text) > GPUS_MOST) {
      throw refused("GPU_COUNT must be a whole number of GPUs");
    }
    int count = Integer.parseInt(text);
    if (cpu && count > 0) {
      throw refused("GPU_COUNT must be 0 for " + type + ", which has no GPUs");
    }
    if (!cpu && count == 0) {
      throw refused(
          "GPU_COUNT must be 1 at least for "
              + GpudevErrors.quoted(type)
              + "; jobs without GPUs are of type cpu-x86 or cpu-arm");
    }
    return count;
  }

  private static Optional<UUID> uuid(String text) {
    try {
      UUID id = UUID.fromString(text);
      return id.toString().equals(text) ? Optional.of(id) : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  private static Halt refused(String why) {
    return new Halt(GpudevErrors.error(400, why));
  }
}
