package gpuaas.shopper;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseSignal.Warning;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseState;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.spi.Endpoint;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A session on the wire; what is empty, 0 or false after {@code expiresAt} is left out. */
@JsonInclude(JsonInclude.Include.NON_DEFAULT)
record SessionView(
    @JsonInclude String id,
    @JsonInclude String consumerId,
    @JsonInclude String provider,
    @JsonInclude String gpuType,
    @JsonInclude int gpuCount,
    @JsonInclude String status,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) String error,
    Optional<String> sshHost,
    Optional<Integer> sshPort,
    Optional<String> sshUser,
    @JsonInclude String workloadType,
    @JsonInclude long reservationHours,
    @JsonInclude BigDecimal pricePerHour,
    @JsonInclude String createdAt,
    @JsonInclude String expiresAt,
    Optional<String> stoppedAt,
    Optional<String> offerId,
    Optional<String> storagePolicy,
    long idleThresholdMinutes,
    Optional<String> launchMode,
    Optional<String> apiEndpoint,
    int apiPort,
    Optional<String> modelId,
    Optional<String> templateHashId,
    Optional<String> templateName,
    int diskGb,
    boolean autoRetry,
    int retryCount,
    Optional<String> retryParentId,
    Optional<String> retryChildId,
    Optional<String> failedOffers) {

  private static final String FILES_LOST =
      "its files could not be preserved: GET /api/v1/allocations/{id}/timeline says why";
  private static final String NOTE =
      "Full SSH diagnostics (GPU status, health checks) require client-side SSH access. The private"
          + " key is not stored server-side for security.";

  /**
   * @param child the session that was asked for in place of this one
   */
  static SessionView of(Lease lease, Optional<String> child) {
    LeaseSpec spec = lease.spec();
    Map<String, String> notes = spec.notes();
    Optional<Endpoint> at =
        lease.state() instanceof Running running ? Optional.of(running.ssh()) : Optional.empty();
    boolean entrypoint = isEntrypoint(lease);
    Optional<Endpoint> ssh = entrypoint ? Optional.empty() : at;
    Optional<Endpoint> api = entrypoint ? at : Optional.empty();
    return new SessionView(
        lease.id().toString(),
        notes.getOrDefault(LeaseSpec.CONSUMER, lease.requestedBy().toString()),
        provider(lease),
        spec.want().gpuModel(),
        spec.want().gpus(),
        status(lease.state()),
        error(lease, entrypoint),
        ssh.map(Endpoint::host),
        ssh.map(Endpoint::port),
        ssh.map(Endpoint::user),
        notes.getOrDefault(SessionSpecs.WORKLOAD, "ssh"),
        reservationHours(lease),
        ShopperJson.dollars(lease.pricePerHourMicros()),
        ShopperJson.time(lease.createdAt()),
        lease.expires().map((Instant end) -> ShopperJson.time(end)).orElse(ShopperJson.NO_TIME),
        lease.state() instanceof Ended ended
            ? Optional.of(ShopperJson.time(ended.at()))
            : Optional.empty(),
        Optional.ofNullable(notes.get(SessionSpecs.OFFER)),
        Optional.ofNullable(notes.get(SessionSpecs.STORAGE)),
        spec.guards().idle().map(idle -> idle.after().toMinutes()).orElse(0L),
        Optional.ofNullable(notes.get(SessionSpecs.MODE)),
        api.map(endpoint -> "http://" + endpoint.host() + ":" + endpoint.port()),
        entrypoint ? Integer.parseInt(notes.getOrDefault(SessionSpecs.PORT, "0")) : 0,
        Optional.ofNullable(notes.get(SessionSpecs.MODEL)),
        Optional.ofNullable(notes.get(SessionSpecs.TEMPLATE)),
        Optional.ofNullable(notes.get(SessionSpecs.TEMPLATE_NAME)),
        spec.launch().diskGb(),
        notes.containsKey(SessionSpecs.RETRIES_LEFT),
        Integer.parseInt(notes.getOrDefault(SessionSpecs.RETRY_COUNT, "0")),
        Optional.ofNullable(notes.get(LeaseSpec.PARENT)),
        child,
        Optional.ofNullable(notes.get(SessionSpecs.FAILED_OFFERS)));
  }

  static boolean isEntrypoint(Lease lease) {
    return "entrypoint".equals(lease.spec().notes().get(SessionSpecs.MODE));
  }

  /** Where it is, was, or is to be. */
  static String provider(Lease lease) {
    return lease
        .history()
        .provider()
        .or(() -> lease.spec().want().offer().map(offer -> offer.provider()))
        .orElse("");
  }

  /** What a state is called. */
  static String status(LeaseState state) {
    return switch (state) {
      case Waiting _ -> "pending";
      case Provisioning _, Booting _ -> "provisioning";
      case Running _ -> "running";
      case Stopping _ -> "stopping";
      case Ended e -> e.why().isFailure() ? "failed" : "stopped";
    };
  }

  private static long reservationHours(Lease lease) {
    Optional<Duration> planned =
        lease
            .expires()
            .map(end -> Duration.between(lease.createdAt(), end))
            .or(() -> lease.spec().term());
    return planned.map(term -> Math.ceilDiv(term.toSeconds(), 3600)).orElse(0L);
  }

  private static String error(Lease lease, boolean entrypoint) {
    Optional<EndReason> why =
        switch (lease.state()) {
          case Stopping s -> Optional.of(s.why());
          case Ended e -> Optional.of(e.why());
          case Waiting _, Provisioning _, Booting _, Running _ -> Optional.empty();
        };
    String ended = why.map(reason -> error(reason, lease, entrypoint)).orElse("");
    boolean lost = lease.history().told().contains(Warning.FILES_LOST);
    return ended.isEmpty() && lost ? FILES_LOST : ended;
  }

  private static String error(EndReason why, Lease lease, boolean entrypoint) {
    boolean ran = lease.history().readyAt().isPresent();
    return switch (why) {
      case ASKED, EXPIRED, COMPLETED -> "";
      case COMMAND_FAILED -> "its command ended with an exit code other than 0";
      case IDLE -> "stopped: nobody used it for its idle_threshold_minutes";
      case RECLAIMED -> "instance stopped unexpectedly: taken back by its provider";
      case OUT_OF_FUNDS -> "stopped: the account is empty, or a budget is used up";
      case FORCED -> "stopped: whoever runs this ended it";
      case CLEANUP_UNPROVEN -> "destroy failed: its provider never confirmed that it is gone";
      case GANG -> "instance stopped unexpectedly: another member of its gang failed";
      case NO_CAPACITY, WAITED_TOO_LONG ->
          "provider create failed: the offer is no longer available";
      case DECLINED -> "provider create failed: the provider declined the request";
      case BOOT_FAILED -> "instance stopped unexpectedly: it did not come up";
      case BOOT_TIMEOUT -> entrypoint ? "API verification timeout" : "SSH verification timeout";
      case LOST ->
          ran
              ? "Instance not found on provider during reconciliation"
              : "instance_vanished: no longer exists on provider";
    };
  }

  /** How a running session is, as far as it can be seen from here. */
  static Map<String, Object> diagnostics(Lease lease, Instant now) {
    if (!(lease.state() instanceof Running)) {
      throw new Refused(
          new Refusal.Unreadable(
              "session is not running; diagnostics only available for running sessions"));
    }
    SessionView view = of(lease, Optional.empty());
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("session_id", view.id());
    body.put("status", view.status());
    body.put("provider", view.provider());
    body.put("gpu_type", view.gpuType());
    body.put("gpu_count", view.gpuCount());
    view.sshHost().ifPresent(host -> body.put("ssh_host", host));
    view.sshPort().ifPresent(port -> body.put("ssh_port", port));
    view.sshUser().ifPresent(user -> body.put("ssh_user", user));
    view.launchMode().ifPresent(mode -> body.put("launch_mode", mode));
    view.apiEndpoint().ifPresent(endpoint -> body.put("api_endpoint", endpoint));
    body.put("created_at", view.createdAt());
    body.put("expires_at", view.expiresAt());
    body.put("uptime", hoursAndMinutes(Duration.between(lease.createdAt(), now)));
    body.put(
        "time_to_expiry",
        lease.expires().map(end -> hoursAndMinutes(Duration.between(now, end))).orElse("never"));
    body.put("ssh_available", view.sshHost().isPresent() && view.sshPort().isPresent());
    body.put("note", NOTE);
    return body;
  }

  private static String hoursAndMinutes(Duration time) {
    if (time.isNegative()) {
      return "expired";
    }
    return time.toHours() == 0
        ? time.toMinutes() + "m"
        : time.toHours() + "h " + time.toMinutesPart() + "m";
  }
}
