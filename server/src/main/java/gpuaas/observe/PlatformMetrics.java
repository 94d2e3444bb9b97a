package gpuaas.observe;

import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.lease.Leases;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What whoever runs the platform measures, under the names of its documents. No label has more
 * values than there are routes and statuses.
 */
public final class PlatformMetrics {

  private static final int TOO_OFTEN = 429;
  private static final Duration[] DISPATCH_BUCKETS =
      List.of(10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 3_600_000)
          .stream()
          .map(Duration::ofMillis)
          .toArray(Duration[]::new);

  private final MeterRegistry registry;
  private final AtomicInteger waiting = new AtomicInteger();
  private final Timer dispatch;
  private final Counter timeouts;
  private final Counter failures;
  private final Counter replays;
  private final Counter adminDenied;

  public PlatformMetrics(MeterRegistry registry) {
    this.registry = registry;
    var _ =
        Gauge.builder("provisioning.queue.depth", waiting, AtomicInteger::get)
            .description("Allocations that wait for a place")
            .register(registry);
    this.dispatch =
        Timer.builder("provisioning.dispatch.latency")
            .description("From the request of an allocation until a provider is first asked for it")
            .serviceLevelObjectives(DISPATCH_BUCKETS)
            .register(registry);
    this.timeouts =
        counter(
            "provisioning.timeouts",
            "Allocations that did not answer in time, or waited for as long as they were to");
    this.failures =
        counter("provisioning.failures", "Allocations that failed and were never usable");
    this.replays =
        counter(
            "terminal.token.replay.rejected",
            "Terminal tokens that were shown and are not good, or not any more");
    this.adminDenied =
        counter(
            "platform.role.admin.denied",
            "Calls for administrators of the platform by somebody who is none");
  }

  private Counter counter(String name, String description) {
    return Counter.builder(name).description(description).register(registry);
  }

  /**
   * A request was answered.
   *
   * @param path of the route, with its parameters in braces
   */
  public void answered(String service, String method, String path, int status, Duration took) {
    Timer.builder("http.server.requests")
        .description("Requests answered, and how long it took")
        .tag("service", service)
        .tag("method", method)
        .tag("path", path)
        .tag("status", Integer.toString(status))
        .register(registry)
        .record(took);
    Counter.builder("http.server.requests.total")
        .description("Requests answered")
        .tag("service", service)
        .tag("status", Integer.toString(status))
        .register(registry)
        .increment();
    if (status == TOO_OFTEN) {
      Counter.builder("rate.limit.blocks")
          .description("Requests that came too often")
          .tag("service", service)
          .register(registry)
          .increment();
    }
  }

  /** Somebody asked for what only administrators of the platform may. */
  public void adminDenied() {
    adminDenied.increment();
  }

  /** A terminal token was shown that opens nothing. */
  public void terminalTokenRejected() {
    replays.increment();
  }

  /** A lease as it was just written. */
  public void changed(Lease lease) {
    switch (lease.state()) {
      case Provisioning p -> {
        if (p.attempt() == 1) {
          dispatch.record(Duration.between(lease.createdAt(), p.since()));
        }
      }
      case Ended e -> ended(e.why(), lease.history().readyAt().isPresent());
      case Waiting _, Booting _, Running _, Stopping _ -> {}
    }
  }

  private void ended(EndReason why, boolean wasUsable) {
    if (why == EndReason.BOOT_TIMEOUT || why == EndReason.WAITED_TOO_LONG) {
      timeouts.increment();
    }
    if (why.isFailure() && !wasUsable) {
      failures.increment();
    }
  }

  /** Counts those who wait; to be called again and again. */
  public void count(Leases leases) {
    waiting.set(
        leases.counts().stream()
            .filter(count -> count.state().equals("waiting"))
            .mapToInt(count -> count.leases())
            .sum());
  }
}
