package gpuaas.gpuaas.allocation;

import gpuaas.base.Action;
import gpuaas.base.Refusal.Kind;
import gpuaas.db.Tx;
import gpuaas.gpuaas.allocation.AllocationViews.Allocation;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState;
import gpuaas.oversight.Oversight;
import gpuaas.oversight.Oversight.Evidence;
import gpuaas.oversight.Oversight.Held;
import gpuaas.spi.InstanceRef;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Everybody's allocations, for those who run the platform. */
public final class AdminAllocationRoutes {

  private static final String PATH = "/api/v1/admin/allocations";
  private static final int PAGE_MOST = 200;
  private static final int WORDS_MOST = 1000;

  private final Oversight oversight;
  private final AllocationRoutes allocations;
  private final AllocationViews views;

  public AdminAllocationRoutes(
      Oversight oversight, AllocationRoutes allocations, AllocationViews views) {
    this.oversight = oversight;
    this.allocations = allocations;
    this.views = views;
  }

  /** What is answered. */
  public List<Route> routes() {
    return List.of(
        Route.get(PATH, this::list).needing(Action.PLATFORM_OPERATE),
        Route.get(PATH + "/{id}", this::get).needing(Action.PLATFORM_OPERATE),
        Route.once("POST", PATH + "/{id}/force-release", this::forceRelease)
            .needing(Action.PLATFORM_OPERATE),
        Route.once("POST", PATH + "/{id}/force-cleanup", this::forceCleanup)
            .needing(Action.PLATFORM_OPERATE));
  }

  /** An allocation, and what is known of its end. */
  private record AdminAllocation(Allocation allocation, Cleanup cleanup) {}

  /**
   * What is known of an end.
   *
   * @param status {@code none} while it is wanted, {@code in_progress}, {@code stuck}, {@code
   *     blocked}: ended without a proof, {@code proven}
   * @param reason why it is stuck
   * @param gpuIds what nobody else gets
   */
  private record Cleanup(
      String status,
      Optional<String> reason,
      Optional<Instant> since,
      Optional<String> provider,
      Optional<String> instanceId,
      List<String> gpuIds) {

    static Cleanup of(Held held) {
      Lease lease = held.lease();
      Optional<InstanceRef> instance = lease.state().named();
      return new Cleanup(
          status(held),
          Optional.of(lease.history().trouble().stuck()).filter(why -> !why.isEmpty()),
          lease.state() instanceof LeaseState.Stopping s
              ? Optional.of(s.since())
              : Optional.empty(),
          instance.map(InstanceRef::provider).or(() -> lease.history().provider()),
          instance.map(InstanceRef::id),
          held.gpuIds());
    }

    private static String status(Held held) {
      return switch (held.lease().state()) {
        case LeaseState.Stopping _ ->
            held.lease().history().trouble().takesTooLong() ? "stuck" : "in_progress";
        case LeaseState.Ended _ -> held.isBlocked() ? "blocked" : "proven";
        default -> "none";
      };
    }
  }

  private AdminAllocation view(Held held) {
    return new AdminAllocation(views.allocation(held.lease(), Optional.empty()), Cleanup.of(held));
  }

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, PAGE_MOST);
    return Reply.json(
        200,
        allocations.page(
            oversight.list(
                request.caller(),
                request.queryId("project_id"),
                AllocationRoutes.filter(request),
                request.cursorId(),
                limit)));
  }

  private Reply get(Request request) {
    return Reply.json(200, view(oversight.get(request.caller(), request.id("id", Kind.LEASE))));
  }

  private Reply forceRelease(Request request, Tx tx) {
    Fields fields = request.fieldsOrNone();
    String words = fields.optionalText("reason", WORDS_MOST, "");
    fields.check();
    return Reply.json(
        202,
        view(oversight.forceRelease(tx, request.caller(), request.id("id", Kind.LEASE), words)));
  }

  private Reply forceCleanup(Request request, Tx tx) {
    Fields fields = request.fields();
    Evidence evidence =
        new Evidence(fields.truth("runtime_verified_absent"), fields.text("evidence", WORDS_MOST));
    fields.check();
    return Reply.json(
        200,
        view(oversight.forceCleanup(tx, request.caller(), request.id("id", Kind.LEASE), evidence)));
  }
}
