package gpuaas.shopper;

import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseListStore;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.lease.Leases;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** What operators of this dialect measure, under the names that they know. */
public final class ShopperMetrics {

  private static final List<Duration> REQUEST_BUCKETS =
      millis(5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000);
  private static final List<Duration> CALL_BUCKETS =
      millis(10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000);
  private static final Duration[] DOUBLING =
      IntStream.range(0, 10).mapToObj(n -> Duration.ofSeconds(1L << n)).toArray(Duration[]::new);

  private final MeterRegistry registry;
  private final MultiGauge active;

  public ShopperMetrics(MeterRegistry registry) {
    this.registry = registry;
    this.active =
        MultiGauge.builder("gpu.sessions.active")
            .description("Sessions that have not ended")
            .register(registry);
    // Those without labels are there from the start, with 0.
    for (String name :
        List.of(
            "gpu.orphans.detected",
            "gpu.ghosts.detected",
            "gpu.reconciliation.mismatches",
            "gpu.destroy.failures",
            "gpu.hard.max.enforced",
            "gpu.ssh.verify.failures")) {
      var _ = registry.counter(name);
    }
  }

  private static List<Duration> millis(long... values) {
    return Arrays.stream(values).mapToObj(Duration::ofMillis).toList();
  }

  /** A lease as it was just written. */
  public void changed(Lease lease) {
    String provider = SessionView.provider(lease);
    switch (lease.state()) {
      case Provisioning p -> {
        if (p.attempt() == 1) {
          count("gpu.sessions.created", "provider", provider);
        }
      }
      case Running r -> {
        if (r.since().equals(r.meteredTo())
            && lease.history().readyAt().filter(r.since()::equals).isPresent()) {
          Duration took = Duration.between(lease.createdAt(), r.since());
          timer("gpu.provisioning.duration", DOUBLING, "provider", provider).record(took);
          timer("gpu.ssh.verify.duration", DOUBLING, "provider", provider).record(took);
        }
      }
      case Stopping s -> stopping(s.why(), lease);
      case Ended e ->
          count("gpu.sessions.destroyed", "provider", provider, "reason", reason(e.why(), lease));
      case Waiting _, Booting _ -> {}
    }
  }

  private void stopping(EndReason why, Lease lease) {
    boolean ran = lease.history().readyAt().isPresent();
    if (why == EndReason.BOOT_TIMEOUT) {
      count("gpu.ssh.verify.failures");
      count(
          "gpu.ssh.verify.errors.by.type",
          "provider",
          SessionView.provider(lease),
          "error_type",
          "timeout");
    } else if (why == EndReason.LOST && ran) {
      count("gpu.ghosts.detected");
      count("gpu.reconciliation.mismatches");
    }
  }

  private static String reason(EndReason why, Lease lease) {
    return switch (why) {
      case ASKED -> "user_requested";
      case EXPIRED -> "expired";
      case BOOT_TIMEOUT ->
          SessionView.isEntrypoint(lease) ? "api_verify_timeout" : "ssh_verify_timeout";
      case BOOT_FAILED -> "instance_stopped";
      case LOST -> "instance_vanished";
      case COMPLETED,
          COMMAND_FAILED,
          IDLE,
          RECLAIMED,
          OUT_OF_FUNDS,
          WAITED_TOO_LONG,
          NO_CAPACITY,
          DECLINED,
          GANG,
          FORCED,
          CLEANUP_UNPROVEN ->
          why.text();
    };
  }

  /** Machines that no lease knows were found. */
  public void orphans(int found) {
    registry.counter("gpu.orphans.detected").increment(found);
    registry.counter("gpu.reconciliation.mismatches").increment(found);
  }

  /** An end could not be confirmed in the time that its caller had. */
  void destroyFailed() {
    count("gpu.destroy.failures");
  }

  /** Another offer was tried. */
  void retried(String provider, RetryScope scope, String reason) {
    count(
        "gpu.session.retry.attempts",
        "provider",
        provider,
        "scope",
        scope.text(),
        "reason",
        reason);
  }

  /** A provider was called. */
  public void called(String provider, String operation, boolean worked, Duration took) {
    count(
        "gpu.provider.api.calls",
        "provider",
        provider,
        "operation",
        operation,
        "status",
        worked ? "success" : "error");
    if (!worked) {
      count("gpu.provider.api.errors", "provider", provider, "operation", operation);
    }
    timer(
            "gpu.provider.api.response.time",
            CALL_BUCKETS.toArray(Duration[]::new),
            "provider",
            provider,
            "operation",
            operation)
        .record(took);
  }

  /** A request was answered. */
  void answered(String method, String path, int status, Duration took) {
    String pattern = path.replaceAll("\\{([a-z_]+)}", ":$1");
    String code = Integer.toString(status);
    count("http.requests", "method", method, "path", pattern, "status", code);
    timer(
            "http.request.duration",
            REQUEST_BUCKETS.toArray(Duration[]::new),
            "method",
            method,
            "path",
            pattern,
            "status",
            code)
        .record(took);
  }

  /** Before the page is shown. */
  void refresh(Leases leases) {
    Map<List<String>, Integer> sums = new TreeMap<>(java.util.Comparator.comparing(List::toString));
    for (LeaseListStore.Count count : leases.counts()) {
      String status =
          switch (count.state()) {
            case "waiting" -> "pending";
            case "booting" -> "provisioning";
            default -> count.state();
          };
      sums.merge(List.of(count.provider(), status), count.leases(), Integer::sum);
    }
    active.register(
        sums.entrySet().stream()
            .map(entry ->
                MultiGauge.Row.of(
                    Tags.of("provider", entry.getKey().get(0), "status", entry.getKey().get(1)),
                    entry.getValue()))
            .toList(),
        true);
  }

  private void count(String name, String... tags) {
    registry.counter(name, tags).increment();
  }

  private Timer timer(String name, Duration[] buckets, String... tags) {
    return Timer.builder(name).serviceLevelObjectives(buckets).tags(tags).register(registry);
  }
}
