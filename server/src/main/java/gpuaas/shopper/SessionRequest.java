package gpuaas.shopper;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What was asked for, with the rules of the documents kept.
 *
 * @param reservationHours from the request on
 * @param idleThresholdMinutes 0: it may stand idle
 * @param entrypoint true: what the image runs by itself; false: something to log in to
 * @param diskGb 0: as much as is thought to be needed
 * @param retriesMost how often another offer may be tried in place of one that failed
 * @param sshTimeoutMinutes 0: as long as its image needs
 */
record SessionRequest(
    String consumerId,
    String offerId,
    String workloadType,
    int reservationHours,
    int idleThresholdMinutes,
    boolean preserve,
    boolean entrypoint,
    String dockerImage,
    String modelId,
    List<Integer> exposedPorts,
    String quantization,
    String templateHashId,
    int diskGb,
    int retriesMost,
    RetryScope retryScope,
    String onStartCommand,
    int sshTimeoutMinutes) {

  static final int HOURS_MOST = 12;

  private static final List<String> WORKLOADS =
      List.of(
          "llm",
          "llm_vllm",
          "llm_tgi",
          "training",
          "batch",
          "interactive",
          "inference",
          "ssh",
          "benchmark");

  /** They become words of a command line. */
  private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/:-]{0,255}|");

  private static final Pattern IMAGE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/:@-]{0,500}|");

  /** What Vast.ai takes. */
  private static final int COMMAND_MOST = 4096;

  private static final int NAME_LENGTH_MOST = 256;
  private static final int PORTS_MOST = 64;
  private static final int PORT_MOST = 65_535;
  private static final int DISK_GB_MOST = 100_000;
  private static final int RETRIES = 3;
  private static final int RETRIES_MOST = 5;
  private static final int SSH_TIMEOUT_MINUTES_MOST = 30;
  private static final int IDLE_MINUTES_MOST = 60 * HOURS_MOST;

  /** Reads a body; refuses with all that is wrong in it. */
  static SessionRequest of(String body) {
    GoFields fields = new GoFields("CreateSessionRequest", body);
    String consumer = fields.requiredText("consumer_id", NAME_LENGTH_MOST);
    String offer = fields.requiredText("offer_id", NAME_LENGTH_MOST);
    String workload = fields.requiredText("workload_type", NAME_LENGTH_MOST);
    int hours = fields.requiredInteger("reservation_hours", 1, HOURS_MOST);
    int idle = Math.max(0, fields.integer("idle_threshold_minutes"));
    boolean preserve = fields.text("storage_policy").equals(SessionSpecs.PRESERVE);
    boolean entrypoint = fields.text("launch_mode").equals("entrypoint");
    String image = fields.text("docker_image");
    String model = fields.text("model_id");
    List<Integer> ports = fields.integers("exposed_ports", PORTS_MOST);
    String quantization = fields.text("quantization");
    String template = fields.text("template_hash_id");
    int diskGb = fields.integer("disk_gb");
    boolean autoRetry = fields.flag("auto_retry");
    int retries = fields.integer("max_retries");
    String scope = fields.text("retry_scope");
    String onStart = fields.text("on_start_cmd");
    int timeout = fields.integer("ssh_timeout_minutes");
    if (!MODEL.matcher(model).matches()) {
      fields.problem("model_id", "must be the name of a model");
    }
    if (!MODEL.matcher(quantization).matches()) {
      fields.problem("quantization", "must be the name of a form of weights");
    }
    if (!IMAGE.matcher(image).matches()) {
      fields.problem("docker_image", "must be the name of an image");
    }
    if (onStart.length() > COMMAND_MOST) {
      fields.problem("on_start_cmd", "must be at most " + COMMAND_MOST + " characters");
    }
    if (diskGb < 0 || diskGb > DISK_GB_MOST) {
      fields.problem("disk_gb", "must be at most " + DISK_GB_MOST);
    }
    if (ports.stream().anyMatch(port -> port < 1 || port > PORT_MOST)) {
      fields.problem("exposed_ports", "must be numbers from 1 to " + PORT_MOST);
    }
    fields.check();
    if (!WORKLOADS.contains(workload)) {
      throw refused("invalid workload_type: must be one of: " + String.join(", ", WORKLOADS));
    }
    return new SessionRequest(
        consumer,
        offer,
        workload,
        hours,
        Math.min(idle, IDLE_MINUTES_MOST),
        preserve,
        entrypoint,
        image,
        model,
        List.copyOf(ports),
        quantization,
        template,
        diskGb,
        autoRetry ? Math.min(retries <= 0 ? RETRIES : retries, RETRIES_MOST) : 0,
        autoRetry ? scope(scope) : RetryScope.SAME_GPU,
        onStart,
        Math.min(Math.max(0, timeout), SSH_TIMEOUT_MINUTES_MOST));
  }

  private static RetryScope scope(String word) {
    return RetryScope.of(word)
        .orElseThrow(
            () -> refused("invalid retry_scope: must be one of: same_gpu, same_vram, any"));
  }

  private static Refused refused(String text) {
    return new Refused(new Refusal.Unreadable(text));
  }
}
