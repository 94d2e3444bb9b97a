package gpuaas.gpuai;

import gpuaas.access.SshKeys;
import gpuaas.base.Action;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.catalog.GpuType;
import gpuaas.catalog.Want;
import gpuaas.db.Tx;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.lease.EndReason;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseListStore;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.lease.LeaseState.Phase;
import gpuaas.lease.Leases;
import gpuaas.operation.Operation;
import gpuaas.operation.Operations;
import gpuaas.spi.Region;
import gpuaas.spi.Tier;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Instances: ask for one, look, list, rename, end. */
final class InstanceRoutes {

  private static final int GPUS_MOST = 8;
  private static final int NAME_LENGTH_MOST = 255;
  private static final int KEYS_MOST = 50;
  private static final BigDecimal PRICE_MOST = BigDecimal.valueOf(1_000_000_000);

  /** Of later contracts, and they change what is bought: better a no than something else. */
  private static final List<String> NOT_BUILT =
      List.of("disk_gb", "environment", "template_id", "env", "image", "ports");

  private final String path;
  private final Parts parts;

  /**
   * What instances are made of.
   *
   * @param patience how long to look for room before the operation fails
   */
  record Parts(
      Leases leases,
      Operations operations,
      SshKeys sshKeys,
      GpuTypes gpuTypes,
      GpuaiViews views,
      Lists lists,
      Duration patience) {}

  InstanceRoutes(String mount, Parts parts) {
    this.path = mount + "/instances";
    this.parts = parts;
  }

  List<Route> routes() {
    return List.of(
        Route.get(path, this::list).needing(Action.LEASE_READ),
        Route.onceTogether("POST", path, this::create).needing(Action.LEASE_CREATE),
        Route.get(path + "/{id}", this::get).needing(Action.LEASE_READ),
        Route.once("PATCH", path + "/{id}", this::update).needing(Action.LEASE_UPDATE),
        Route.once("DELETE", path + "/{id}", this::delete).needing(Action.LEASE_STOP));
  }

  private Reply create(Request request, Tx tx) {
    Fields fields = Bodies.fields(request);
    String gpuType = fields.text("gpu_type", 63);
    int gpuCount = fields.integer("gpu_count", 1, GPUS_MOST);
    Tier tier = fields.word("tier", Map.of("spot", Tier.SPOT, "on_demand", Tier.ON_DEMAND));
    Optional<String> region = fields.maybeText("region", 63);
    Optional<String> name = fields.maybeText("name", NAME_LENGTH_MOST);
    List<UUID> keys = fields.ids("ssh_key_ids", KEYS_MOST);
    Optional<BigDecimal> most = fields.maybeNumber("max_price_per_hour", PRICE_MOST);
    Optional<String> offering = fields.maybeText("offering_id", 200);
    NOT_BUILT.stream()
        .filter(fields::isGiven)
        .forEach(field -> fields.problem(field, "cannot be asked for here; leave it out", field));
    fields.check();
    GpuType type =
        parts
            .gpuTypes()
            .find(tx, gpuType)
            .orElseThrow(() -> new Refused(new Refusal.UnknownGpu(gpuType)));
    Optional<Region> where = Offering.region(offering, type, gpuCount, tier, region);
    LeaseSpec spec =
        new LeaseSpec(
            new Want("", type.model(), gpuCount, where, tier),
            "",
            keys.isEmpty() ? ownKeys(tx, request) : keys,
            Map.of(),
            Optional.empty(),
            LeaseSpec.WhenFull.FAIL,
            parts.patience(),
            new Guards(most.map(InstanceRoutes::micros), Optional.empty()));
    Lease lease = parts.leases().request(tx, request.caller(), spec, name);
    return accepted(Operation.accepted(lease.id(), lease.createdAt()));
  }

  /** Without any key nobody could get in, and would pay for that. */
  private List<UUID> ownKeys(Tx tx, Request request) {
    List<UUID> own = parts.sshKeys().own(tx, request.caller(), KEYS_MOST);
    if (own.isEmpty()) {
      throw new Refused(
          Refusal.Invalid.field(
              "ssh_key_ids", "is empty and you have no SSH key; add one with POST /ssh-keys"));
    }
    return own;
  }

  private Reply accepted(Operation operation) {
    return Reply.json(202, parts.views().operation(operation))
        .with("Operation-Id", operation.id().toString());
  }

  private Reply list(Request request) {
    String filter = request.query("status").orElse("");
    Optional<Set<Phase>> phases = Lists.word(request, "status", Profile::phases);
    if (phases.isPresent() && phases.get().isEmpty()) {
      return parts.lists().page(request, filter, List.<Lease>of(), lease -> lease, _ -> List.of());
    }
    Optional<LeaseListStore.Position> after =
        parts
            .lists()
            .after(request, filter, 2)
            .map(key ->
                new LeaseListStore.Position(Instant.parse(key.get(0)), Lists.id(key.get(1))));
    List<Lease> found =
        parts
            .leases()
            .list(
                request.caller(),
                phases.orElse(EnumSet.noneOf(Phase.class)),
                after,
                Lists.limit(request));
    return parts
        .lists()
        .page(
            request,
            filter,
            found,
            this::view,
            lease -> List.of(lease.createdAt().toString(), lease.id().toString()));
  }

  private Reply get(Request request) {
    if (!request.query("include").orElse("credentials").equals("credentials")) {
      throw new Refused(new Refusal.Unreadable("include can be credentials, and nothing else"));
    }
    return Reply.json(
        200, view(parts.leases().get(request.caller(), request.id("id", Kind.LEASE))));
  }

  private Reply update(Request request, Tx tx) {
    UUID id = request.id("id", Kind.LEASE);
    if (request.body().isBlank()) {
      return Reply.json(200, view(tx, parts.leases().get(tx, request.caller(), id)));
    }
    Fields fields = Bodies.fields(request);
    Optional<String> name = fields.maybeText("name", NAME_LENGTH_MOST);
    fields.check();
    Lease lease =
        fields.isGiven("name")
            ? parts.leases().rename(tx, request.caller(), id, name)
            : parts.leases().get(tx, request.caller(), id);
    return Reply.json(200, view(tx, lease));
  }

  /** While it is being ended, the same operation again; when it has ended, there is nothing. */
  private Reply delete(Request request, Tx tx) {
    UUID id = request.id("id", Kind.LEASE);
    Lease lease = parts.leases().get(tx, request.caller(), id);
    if (lease.phase() == Phase.GONE) {
      throw new Refused(new Refusal.NotFound(Kind.LEASE, id.toString()));
    }
    Lease stopped = parts.leases().stop(tx, request.caller(), id, EndReason.ASKED);
    if (stopped.phase() == Phase.FAILED) {
      parts.leases().dismiss(tx, request.caller(), id);
    }
    return accepted(parts.operations().deletion(tx, id));
  }

  private GpuaiViews.Instance view(Tx tx, Lease lease) {
    return parts.views().instance(lease, parts.gpuTypes().of(tx, lease.spec().want().gpuModel()));
  }

  private GpuaiViews.Instance view(Lease lease) {
    return parts.views().instance(lease, parts.gpuTypes().of(lease.spec().want().gpuModel()));
  }

  private static long micros(BigDecimal dollars) {
    return dollars.movePointRight(6).setScale(0, java.math.RoundingMode.FLOOR).longValueExact();
  }
}
