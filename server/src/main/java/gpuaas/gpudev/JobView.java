package gpuaas.gpudev;

import gpuaas.capacity.Delay;
import gpuaas.command.Command;
import gpuaas.gpudev.wire.GpudevJson;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseHistory.Trouble;
import gpuaas.lease.LeaseState;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.spi.Endpoint;
import gpuaas.web.Web;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A job on the wire: the nineteen members that are always there, null when they have no value, and
 * those that clients use when they are there, left out when they have none (contract 3.5, 14.2).
 */
final class JobView {

  private static final Map<EndReason, String> FAILURES =
      Map.of(
          EndReason.WAITED_TOO_LONG, "it waited for as long as a job may, and no machine had room",
          EndReason.COMMAND_FAILED, "its command ended with an exit code other than 0",
          EndReason.NO_CAPACITY, "no machine had room for it",
          EndReason.DECLINED,
              "its machine or its disk declined it: check the image, the variables and the disk",
          EndReason.BOOT_FAILED, "its environment did not come up",
          EndReason.BOOT_TIMEOUT, "its environment did not answer in time",
          EndReason.LOST, "its machine or environment was lost",
          EndReason.GANG, "another node of it failed, or never came",
          EndReason.FORCED, "whoever runs the cluster ended it",
          EndReason.CLEANUP_UNPROVEN, "it ended, and its provider never confirmed that it is gone");

  private JobView() {}

  /**
   * What is known of a job beside its lease.
   *
   * @param user whose it is
   * @param end the end to show, when that is not the lease's own
   * @param extensionError why it was not extended
   * @param delay why it waits
   * @param guests who else may enter
   * @param web what is reached in a browser
   */
  record Around(
      String user,
      Optional<Extensions.Shown> end,
      Optional<String> extensionError,
      Optional<Delay> delay,
      List<String> guests,
      Optional<Command> command,
      WebJobs webJobs,
      Optional<Web> web) {}

  static Map<String, Object> of(Lease lease, Around around, Instant now) {
    Map<String, String> notes = lease.spec().notes();
    Map<String, Object> body = new LinkedHashMap<>();
    String id = id(lease);
    Optional<Endpoint> ssh =
        lease.state() instanceof Running running ? Optional.of(running.ssh()) : Optional.empty();
    body.put("job_id", id);
    body.put("reservation_id", id);
    body.put("user_id", around.user());
    body.put("status", status(lease.state()));
    body.put(
        "gpu_type",
        notes.getOrDefault(JobSpecs.GPU_TYPE, GpuTypes.ofModel(lease.spec().want().gpuModel())));
    body.put("gpu_count", lease.spec().want().gpus());
    body.put(
        "instance_type",
        Optional.ofNullable(notes.get(JobSpecs.INSTANCE_TYPE))
            .or(() -> GpuTypes.instanceType(lease.spec().want().gpuModel()))
            .orElse(null));
    body.put(
        "duration_hours",
        GpudevJson.hours(around.end().map(Extensions.Shown::term).orElseGet(() -> term(lease))));
    body.put("created_at", GpudevJson.timeWithOffset(lease.createdAt()));
    body.put(
        "expires_at",
        around
            .end()
            .map(Extensions.Shown::end)
            .or(() -> end(lease))
            .map(GpudevJson::timeWithOffset)
            .orElse(null));
    body.put("name", lease.name().orElseGet(() -> podName(lease)));
    body.put("pod_name", lease.history().provider().map(_ -> podName(lease)).orElse(null));
    body.put("node_ip", ssh.map(Endpoint::host).orElse(null));
    body.put("node_port", ssh.map(Endpoint::port).orElse(null));
    body.put("ssh_command", ssh.map(JobView::sshCommand).orElse(null));
    around.webJobs().put(body, around.web());
    body.put("github_user", notes.getOrDefault(JobSpecs.GITHUB_USER, ""));
    addWhatIsThere(body, lease, around, now);
    return body;
  }

  private static void addWhatIsThere(
      Map<String, Object> body, Lease lease, Around around, Instant now) {
    Map<String, String> notes = lease.spec().notes();
    lease
        .history()
        .readyAt()
        .ifPresent(at -> body.put("launched_at", GpudevJson.timeWithOffset(at)));
    failure(lease).ifPresent(why -> body.put("failure_reason", why));
    around
        .delay()
        .ifPresent(delay -> {
          body.put("queue_position", delay.position());
          delay
              .estimatedStart()
              .ifPresent(start ->
                  body.put("estimated_wait_minutes", Math.max(0, minutesUntil(start, now))));
          body.put("current_detailed_status", delay.reason());
        });
    Trouble trouble = lease.history().trouble();
    trouble
        .memoryKillAt()
        .ifPresent(at -> {
          body.put("oom_count", trouble.memoryKills());
          body.put("last_oom_at", GpudevJson.timeWithOffset(at));
        });
    for (String note : List.of(JobSpecs.DISK, JobSpecs.WARNING)) {
      Optional.ofNullable(lease.spec().notes().get(note)).ifPresent(text -> body.put(note, text));
    }
    if (!trouble.lostGpus().isEmpty() && lease.state() instanceof Running) {
      body.put(
          JobSpecs.WARNING,
          "GPUs of this job do not work, and it is not charged until they do: "
              + String.join(", ", trouble.lostGpus()));
    }
    Optional.ofNullable(notes.get(JobSpecs.IMAGE))
        .map(asked -> image(lease, asked))
        .ifPresent(image -> body.put("image", image));
    lease
        .spec()
        .command()
        .ifPresent(_ -> body.put("command_status", commandStatus(lease, around.command())));
    around.command().flatMap(Command::exit).ifPresent(exit -> body.put("exit_code", exit.code()));
    around.extensionError().ifPresent(why -> body.put("extension_error", why));
    around.webJobs().putWhatIsThere(body, around.web());
    if (!around.guests().isEmpty()) {
      body.put("secondary_users", around.guests());
    }
  }

  /** How far its command is. */
  static String commandStatus(Lease lease, Optional<Command> command) {
    if (command.flatMap(Command::exit).isPresent()) {
      return "exited";
    }
    if (lease.state().isOver()) {
      return command.isPresent() ? "stopped" : "never_started";
    }
    return command.isPresent() ? "running" : "pending";
  }

  /** What it really runs in. */
  private static String image(Lease lease, String asked) {
    return lease.spec().image().isEmpty()
        ? "the default environment of its machine, in place of " + asked
        : asked;
  }

  private static int minutesUntil(Instant then, Instant now) {
    return (int)
        Math.min(Integer.MAX_VALUE, Math.ceilDiv(Duration.between(now, then).toSeconds(), 60));
  }

  /** As its maker called it. */
  static String id(Lease lease) {
    return lease.spec().notes().getOrDefault(JobSpecs.ID, lease.id().toString());
  }

  static String podName(Lease lease) {
    return "gpu-dev-" + lease.id().toString().substring(0, 8);
  }

  private static String sshCommand(Endpoint ssh) {
    return "ssh -p " + ssh.port() + " " + ssh.user() + "@" + ssh.host();
  }

  /** For how long it was asked, with what it was extended by. */
  static Duration term(Lease lease) {
    Optional<Duration> ran =
        lease
            .history()
            .readyAt()
            .flatMap(from -> lease.expires().map(end -> Duration.between(from, end)));
    return ran.or(() -> lease.spec().term()).orElse(Duration.ZERO);
  }

  /** When it ends; before it runs, when it would end if it ran from the beginning. */
  static Optional<Instant> end(Lease lease) {
    return lease.expires().or(() -> lease.spec().term().map(lease.createdAt()::plus));
  }

  static String status(LeaseState state) {
    return switch (state) {
      case Waiting _ -> "queued";
      case Provisioning _, Booting _ -> "preparing";
      case Running _ -> "active";
      case Stopping s -> status(s.why());
      case Ended e -> status(e.why());
    };
  }

  static String status(EndReason why) {
    return switch (why) {
      case ASKED, WAITED_TOO_LONG, FORCED -> "cancelled";
      case COMPLETED -> "completed";
      case COMMAND_FAILED -> "failed";
      case EXPIRED, IDLE, RECLAIMED, OUT_OF_FUNDS -> "expired";
      case NO_CAPACITY, DECLINED, BOOT_FAILED, BOOT_TIMEOUT, LOST, GANG, CLEANUP_UNPROVEN ->
          "failed";
    };
  }

  private static Optional<String> failure(Lease lease) {
    String why = lease.history().trouble().failure();
    return lease
        .state()
        .end()
        .map(FAILURES::get)
        .map(words -> why.isEmpty() ? words : words + ": " + why);
  }
}
