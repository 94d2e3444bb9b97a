package gpuaas.shopper;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.base.Action;
import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.db.Database;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.lease.Lease;
import gpuaas.lease.Leases;
import gpuaas.ledger.CostStore;
import gpuaas.ledger.Reconciliation;
import gpuaas.ledger.ReconciliationStore.Machine;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;

/** What sessions have cost. Days and months are those of UTC. */
final class CostRoutes {

  private static final String CURRENCY = "USD";
  private static final int MACHINES_MOST = 1000;
  private static final int DATE_LENGTH = 10;
  private static final BigDecimal HOUR_SECONDS = BigDecimal.valueOf(3600);

  private final Database database;
  private final Leases leases;
  private final Reconciliation reconciliation;
  private final InstantSource clock;

  CostRoutes(Database database, Leases leases, Reconciliation reconciliation, InstantSource clock) {
    this.database = database;
    this.leases = leases;
    this.reconciliation = reconciliation;
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(
        Route.get("/api/v1/costs", this::costs).needing(Action.BILLING_READ),
        Route.get("/api/v1/costs/summary", this::summary).needing(Action.BILLING_READ),
        Route.get("/api/v1/costs/reconciliation", this::reconciliation)
            .needing(Action.BILLING_READ));
  }

  /** From a day to before another. */
  private record Days(LocalDate from, LocalDate until) {
    static Days month(LocalDate day) {
      LocalDate first = day.withDayOfMonth(1);
      return new Days(first, first.plusMonths(1));
    }
  }

  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  private record Summary(
      String consumerId,
      @JsonInclude BigDecimal totalCost,
      @JsonInclude int sessionCount,
      @JsonInclude BigDecimal hoursUsed,
      Map<String, BigDecimal> byProvider,
      Map<String, BigDecimal> byGpuType,
      String periodStart,
      String periodEnd) {}

  private Reply costs(Request request) {
    Optional<String> session = Queries.text(request, "session_id");
    if (session.isPresent()) {
      return ofSession(request, session.get());
    }
    LocalDate today = LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
    Days days =
        switch (Queries.text(request, "period").orElse("")) {
          case "daily" -> new Days(today, today.plusDays(1));
          case "monthly" -> Days.month(today);
          default -> asked(request, today);
        };
    return summary(request, days);
  }

  /** The current month, unless dates say something else; the last day does not count. */
  private static Days asked(Request request, LocalDate today) {
    Optional<LocalDate> from = date(request, "start_date");
    Optional<LocalDate> until = date(request, "end_date");
    LocalDate start =
        from.or(() -> until.map(day -> day.withDayOfMonth(1))).orElse(today.withDayOfMonth(1));
    return new Days(start, until.orElse(Days.month(start).until()));
  }

  private static Optional<LocalDate> date(Request request, String name) {
    return Queries.text(request, name)
        .map(text -> {
          try {
            LocalDate date = LocalDate.parse(text);
            if (text.length() == DATE_LENGTH) { // no years that no calendar has
              return date;
            }
            throw new DateTimeParseException("not a date of ten characters", text, 0);
          } catch (DateTimeParseException e) {
            throw new Refused(
                new Refusal.Unreadable(
                    "invalid "
                        + name
                        + " format, expected YYYY-MM-DD: "
                        + ShopperErrors.quoted(text)));
          }
        });
  }

  private Reply ofSession(Request request, String id) {
    Lease lease;
    try {
      lease = leases.get(request.caller(), UUID.fromString(id));
    } catch (IllegalArgumentException notAnId) {
      return notFound(request, id);
    } catch (Refused no) {
      if (no.refusal() instanceof Refusal.NotFound missing && missing.kind() == Kind.LEASE) {
        return notFound(request, id);
      }
      throw no;
    }
    Instant now = clock.instant();
    long micros =
        sums(request, Optional.empty(), Optional.of(lease.id()), lease.createdAt(), now).stream()
            .mapToLong(CostStore.Row::costMicros)
            .sum();
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("currency", CURRENCY);
    body.put("session_id", id);
    body.put("total_cost", ShopperJson.dollars(micros));
    return ShopperJson.reply(200, body);
  }

  private static Reply notFound(Request request, String id) {
    return ShopperErrors.error(
        404, "session not found: " + ShopperErrors.quoted(id), request.correlationId());
  }

  private Reply summary(Request request) {
    return summary(request, Days.month(LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC)));
  }

  private Reply summary(Request request, Days days) {
    Instant start = days.from().atStartOfDay(ZoneOffset.UTC).toInstant();
    Instant end = days.until().atStartOfDay(ZoneOffset.UTC).toInstant();
    Optional<String> consumer = Queries.text(request, "consumer_id");
    List<CostStore.Row> rows =
        start.isBefore(end) ? sums(request, consumer, Optional.empty(), start, end) : List.of();
    long seconds = rows.stream().mapToLong(CostStore.Row::seconds).sum();
    return ShopperJson.reply(
        200,
        new Summary(
            consumer.orElse(""),
            ShopperJson.dollars(rows.stream().mapToLong(CostStore.Row::costMicros).sum()),
            rows.stream().mapToInt(CostStore.Row::leases).sum(),
            BigDecimal.valueOf(seconds).divide(HOUR_SECONDS, 4, RoundingMode.HALF_UP),
            by(rows, CostStore.Row::provider),
            by(rows, CostStore.Row::gpuModel),
            ShopperJson.time(start),
            ShopperJson.time(end)));
  }

  private List<CostStore.Row> sums(
      Request request,
      Optional<String> consumer,
      Optional<UUID> lease,
      Instant start,
      Instant end) {
    CostStore.Query query =
        new CostStore.Query(
            request.caller().project(), consumer, lease, start, end, clock.instant());
    return database.read(tx -> CostStore.sums(tx, query));
  }

  private static Map<String, BigDecimal> by(
      List<CostStore.Row> rows, Function<CostStore.Row, String> what) {
    Map<String, Long> sums = new TreeMap<>();
    rows.forEach(row -> sums.merge(what.apply(row), row.costMicros(), Long::sum));
    Map<String, BigDecimal> dollars = new LinkedHashMap<>();
    sums.forEach((name, micros) -> dollars.put(name, ShopperJson.dollars(micros)));
    return dollars;
  }

  private record MachineView(
      String date,
      String provider,
      String instanceId,
      Optional<UUID> sessionId,
      BigDecimal ourCost,
      BigDecimal providerCost,
      BigDecimal difference) {

    static MachineView of(Machine machine) {
      return new MachineView(
          machine.day().toString(),
          machine.provider(),
          machine.instance(),
          machine.lease(),
          ShopperJson.dollars(machine.oursMicros()),
          ShopperJson.dollars(machine.theirsMicros()),
          ShopperJson.dollars(machine.differenceMicros()));
    }
  }

  private record Machines(
      List<MachineView> machines, int count, long total, BigDecimal totalDifference) {}

  /** What providers charged beside what sessions have cost, by machine and day. */
  private Reply reconciliation(Request request) {
    Days days = asked(request, LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC));
    int limit = Queries.positive(request, "limit");
    Reconciliation.Listed listed =
        reconciliation.list(
            request.caller(),
            new Reconciliation.Query(
                Queries.text(request, "provider"),
                days.from(),
                days.until(),
                limit == 0 ? MACHINES_MOST : Math.min(limit, MACHINES_MOST),
                Queries.count(request, "offset")));
    List<MachineView> machines = listed.machines().stream().map(MachineView::of).toList();
    return ShopperJson.reply(
        200,
        new Machines(
            machines,
            machines.size(),
            listed.total(),
            ShopperJson.dollars(listed.differenceMicros())));
  }
}
