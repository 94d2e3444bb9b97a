package gpuaas.lease;

import gpuaas.db.Insert;
import gpuaas.db.Json;
import gpuaas.db.Row;
import gpuaas.db.Rows;
import gpuaas.lease.LeaseHistory.Trouble;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.lease.LeaseState.Ended;
import gpuaas.lease.LeaseState.Place;
import gpuaas.lease.LeaseState.Provisioning;
import gpuaas.lease.LeaseState.Running;
import gpuaas.lease.LeaseState.Stopping;
import gpuaas.lease.LeaseState.Waiting;
import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.Region;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jdbi.v3.core.mapper.RowMapper;
import org.jspecify.annotations.Nullable;

/** A lease as a row, both ways. */
final class LeaseRow {

  /** Leases that nothing happened to yet. */
  static final Insert<Lease> NEW =
      Insert.<Lease>into("lease")
          .with("id", "uuid", Lease::id)
          .with("version", "bigint", Lease::version)
          .with("tenant_id", "uuid", Lease::tenant)
          .with("project_id", "uuid", Lease::project)
          .with("requested_by", "uuid", Lease::requestedBy)
          .with("api_key_id", "uuid", lease -> lease.apiKey().orElse(null))
          .with("name", "text", lease -> lease.name().orElse(null))
          .with("spec", "jsonb", lease -> Json.write(lease.spec()))
          .with("queue_rank", "smallint", lease -> (short) -lease.spec().priority())
          .with("disk_id", "uuid", lease -> lease.spec().disk().orElse(null))
          .with("sku", "text", lease -> lease.spec().want().sku())
          .with("gpu_model", "text", lease -> lease.spec().want().gpuModel())
          .with("gpu_count", "integer", lease -> lease.spec().want().gpuCount())
          .with("price_per_gpu_hour_micros", "bigint", Lease::pricePerGpuHourMicros)
          .with("correlation_id", "text", Lease::correlationId)
          .with("made_at", "timestamptz", Lease::createdAt)
          .with("expires_at", "timestamptz", lease -> lease.expires().orElse(null))
          .with("state", "text", lease -> lease.state().text())
          .with("attempt", "integer", _ -> 0);

  /** Leases as they are afterwards, and the version that this follows from. */
  static final Rows<Change> CHANGES = changes();

  /** A lease as it is kept. */
  static final RowMapper<Lease> READ = Row.mapper(LeaseRow::read);

  private LeaseRow() {}

  private static Rows<Change> changes() {
    Rows<Change> rows =
        Rows.<Change>called("change")
            .with("version_before", "bigint", change -> change.before().version());
    rows = lease(rows, "id", "uuid", Lease::id);
    rows = lease(rows, "version", "bigint", Lease::version);
    rows = lease(rows, "state", "text", it -> it.state().text());
    rows = lease(rows, "name", "text", it -> it.name().orElse(null));
    rows = lease(rows, "provider", "text", it -> it.history().provider().orElse(null));
    rows =
        lease(rows, "region", "text", it -> it.history().region().map(Region::code).orElse(null));
    rows = lease(rows, "ready_at", "timestamptz", it -> it.history().readyAt().orElse(null));
    rows =
        lease(rows, "dismissed_at", "timestamptz", it -> it.history().dismissedAt().orElse(null));
    rows = lease(rows, "reclaim_at", "timestamptz", it -> it.history().reclaimAt().orElse(null));
    rows = lease(rows, "expires_at", "timestamptz", it -> it.expires().orElse(null));
    rows = lease(rows, "told", "text", LeaseRow::told);
    rows = lease(rows, "trouble", "jsonb", LeaseRow::trouble);
    rows = lease(rows, "restarts", "integer", it -> it.history().restarts());
    rows = state(rows, "attempt", "integer", Columns::attempt);
    rows = state(rows, "place", "jsonb", it -> it.place == null ? null : Json.write(it.place));
    rows =
        state(
            rows,
            "instance_provider",
            "text",
            it -> it.instance == null ? null : it.instance.provider());
    rows = state(rows, "instance_id", "text", it -> it.instance == null ? null : it.instance.id());
    rows = state(rows, "ssh_host", "text", it -> it.ssh == null ? null : it.ssh.host());
    rows = state(rows, "ssh_port", "integer", it -> it.ssh == null ? null : it.ssh.port());
    rows = state(rows, "ssh_user", "text", it -> it.ssh == null ? null : it.ssh.user());
    rows = state(rows, "since", "timestamptz", Columns::since);
    rows = state(rows, "metered_to", "timestamptz", Columns::meteredTo);
    rows = state(rows, "quiet_from", "timestamptz", Columns::quietFrom);
    rows = state(rows, "end_reason", "text", it -> it.reason == null ? null : it.reason.name());
    return state(rows, "ended_at", "timestamptz", Columns::endedAt);
  }

  private static Rows<Change> lease(
      Rows<Change> rows, String column, String type, Function<Lease, @Nullable Object> value) {
    return rows.with(column, type, change -> value.apply(change.after()));
  }

  private static Lease read(Row row) {
    return new Lease(
        row.id("id"),
        row.number("version"),
        row.id("tenant_id"),
        row.id("project_id"),
        row.id("requested_by"),
        Optional.ofNullable(row.idOrNull("api_key_id")),
        Json.read(row.text("spec"), LeaseSpec.class),
        Optional.ofNullable(row.textOrNull("name")),
        state(row),
        row.number("price_per_gpu_hour_micros"),
        row.instant("made_at"),
        Optional.ofNullable(row.instantOrNull("expires_at")),
        history(row),
        row.text("correlation_id"));
  }

  private static LeaseHistory history(Row row) {
    return new LeaseHistory(
        Optional.ofNullable(row.textOrNull("provider")),
        Optional.ofNullable(row.textOrNull("region")).map(Region::new),
        Optional.ofNullable(row.instantOrNull("ready_at")),
        Optional.ofNullable(row.instantOrNull("dismissed_at")),
        Optional.ofNullable(row.instantOrNull("reclaim_at")),
        row.texts("told").stream()
            .map(LeaseSignal.Warning::valueOf)
            .collect(Collectors.toUnmodifiableSet()),
        Optional.ofNullable(row.textOrNull("trouble"))
            .map(text -> Json.read(text, Trouble.class))
            .orElse(Trouble.NONE),
        (int) row.number("restarts"));
  }

  private static LeaseState state(Row row) {
    String state = row.text("state");
    int attempt = (int) row.number("attempt");
    return switch (state) {
      case "waiting" -> new Waiting(attempt);
      case "provisioning" -> new Provisioning(place(row), attempt, at(row, "since"));
      case "booting" ->
          new Booting(place(row), attempt, instance(row).orElseThrow(), at(row, "since"));
      case "running" ->
          new Running(
              place(row),
              attempt,
              instance(row).orElseThrow(),
              ssh(row),
              at(row, "since"),
              at(row, "metered_to"));
      case "stopping" ->
          new Stopping(
              instance(row), attempt, reason(row), at(row, "since"), at(row, "quiet_from"));
      case "ended" -> new Ended(reason(row), at(row, "ended_at"));
      default -> throw new IllegalStateException("a lease in state " + state);
    };
  }

  private static Place place(Row row) {
    return Json.read(row.text("place"), Place.class);
  }

  private static Optional<InstanceRef> instance(Row row) {
    return Optional.ofNullable(row.textOrNull("instance_id"))
        .map(id -> new InstanceRef(row.text("instance_provider"), id));
  }

  private static Endpoint ssh(Row row) {
    return new Endpoint(row.text("ssh_host"), (int) row.number("ssh_port"), row.text("ssh_user"));
  }

  private static Instant at(Row row, String column) {
    return row.instant(column);
  }

  private static EndReason reason(Row row) {
    return EndReason.valueOf(row.text("end_reason"));
  }

  /** What a state carries, and null for what it does not. */
  private static Columns columns(Change change) {
    return switch (change.after().state()) {
      case Waiting w -> Columns.empty(w.tries());
      case Provisioning p -> Columns.empty(p.attempt()).place(p.place()).since(p.since());
      case Booting b ->
          Columns.empty(b.attempt()).place(b.place()).instance(b.instance()).since(b.since());
      case Running r ->
          Columns.empty(r.attempt())
              .place(r.place())
              .instance(r.instance())
              .ssh(r.ssh())
              .since(r.since())
              .meteredTo(r.meteredTo());
      case Stopping s -> {
        Columns stopping =
            Columns.empty(s.attempt()).since(s.since()).quietFrom(s.quietFrom()).reason(s.why());
        yield s.instance().map(stopping::instance).orElse(stopping);
      }
      case Ended e -> Columns.empty(0).reason(e.why()).endedAt(e.at());
    };
  }

  private static Rows<Change> state(
      Rows<Change> rows, String column, String type, Function<Columns, @Nullable Object> value) {
    return rows.with(column, type, change -> value.apply(columns(change)));
  }

  /** As the text of an array: names need no quotes. */
  private static String told(Lease lease) {
    return lease.history().told().stream()
        .map(LeaseSignal.Warning::name)
        .sorted()
        .collect(Collectors.joining(",", "{", "}"));
  }

  private static @Nullable String trouble(Lease lease) {
    return Optional.of(lease.history().trouble())
        .filter(trouble -> !trouble.equals(Trouble.NONE))
        .map(Json::write)
        .orElse(null);
  }

  /** The columns that depend on the state. */
  private record Columns(
      int attempt,
      @Nullable Place place,
      @Nullable InstanceRef instance,
      @Nullable Endpoint ssh,
      @Nullable Instant since,
      @Nullable Instant meteredTo,
      @Nullable Instant quietFrom,
      @Nullable EndReason reason,
      @Nullable Instant endedAt) {

    static Columns empty(int attempt) {
      return new Columns(attempt, null, null, null, null, null, null, null, null);
    }

    Columns place(Place value) {
      return new Columns(
          attempt, value, instance, ssh, since, meteredTo, quietFrom, reason, endedAt);
    }

    Columns instance(InstanceRef value) {
      return new Columns(attempt, place, value, ssh, since, meteredTo, quietFrom, reason, endedAt);
    }

    Columns ssh(Endpoint value) {
      return new Columns(
          attempt, place, instance, value, since, meteredTo, quietFrom, reason, endedAt);
    }

    Columns since(Instant value) {
      return new Columns(
          attempt, place, instance, ssh, value, meteredTo, quietFrom, reason, endedAt);
    }

    Columns meteredTo(Instant value) {
      return new Columns(attempt, place, instance, ssh, since, value, quietFrom, reason, endedAt);
    }

    Columns quietFrom(Instant value) {
      return new Columns(attempt, place, instance, ssh, since, meteredTo, value, reason, endedAt);
    }

    Columns reason(EndReason value) {
      return new Columns(
          attempt, place, instance, ssh, since, meteredTo, quietFrom, value, endedAt);
    }

    Columns endedAt(Instant value) {
      return new Columns(attempt, place, instance, ssh, since, meteredTo, quietFrom, reason, value);
    }
  }
}
