package gpuaas.gpuai;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.ledger.Statement;
import gpuaas.ledger.UsageQuery;
import gpuaas.ledger.UsageQuery.Bucket;
import gpuaas.ledger.UsageQuery.GroupBy;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/** What was used and what it cost, in buckets of UTC. */
final class UsageRoutes {

  private static final Duration DEFAULT_SPAN = Duration.ofDays(30);
  private static final Duration SPAN_MOST = Duration.ofDays(3660);
  private static final Duration HOURS_SPAN_MOST = Duration.ofDays(366);

  private final String mount;
  private final Statement statement;
  private final GpuTypes gpuTypes;
  private final Lists lists;
  private final InstantSource clock;

  UsageRoutes(
      String mount, Statement statement, GpuTypes gpuTypes, Lists lists, InstantSource clock) {
    this.mount = mount;
    this.statement = statement;
    this.gpuTypes = gpuTypes;
    this.lists = lists;
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(Route.get(mount + "/usage", this::list).needing(Action.BILLING_READ));
  }

  private record UsageBucket(
      Instant bucketStart,
      long gpuSeconds,
      long costCents,
      Optional<String> instanceId,
      Optional<String> gpuType) {}

  private Reply list(Request request) {
    Bucket bucket = Lists.word(request, "bucket", UsageRoutes::bucket).orElse(Bucket.DAY);
    GroupBy groupBy = Lists.word(request, "group_by", UsageRoutes::group).orElse(GroupBy.NONE);
    Instant now = clock.instant();
    Optional<Instant> givenEnd = Lists.time(request, "end");
    Instant end = givenEnd.orElse(now);
    Instant start = Lists.time(request, "start").orElse(end.minus(DEFAULT_SPAN));
    refuseNonsense(bucket, start, end);
    String filters =
        bucket
            + " "
            + groupBy
            + " "
            + request.query("start").orElse("")
            + " "
            + request.query("end").orElse("");
    Optional<UsageQuery.Key> after =
        lists
            .after(request, filters, 2)
            .map(key -> new UsageQuery.Key(Instant.parse(key.get(0)), key.get(1)));
    Caller caller = request.caller();
    List<UsageQuery.Row> found =
        statement.buckets(
            caller,
            new UsageQuery(
                caller.tenant(),
                Optional.of(caller.project()),
                Optional.empty(),
                bucket,
                groupBy,
                start,
                end,
                now,
                after,
                Lists.limit(request) + 1));
    return lists.page(
        request,
        filters,
        found,
        row -> view(row, groupBy),
        row -> List.of(row.key().bucketStart().toString(), row.key().group()));
  }

  private static void refuseNonsense(Bucket bucket, Instant start, Instant end) {
    if (!start.isBefore(end)) {
      throw new Refused(Refusal.Invalid.field("start", "must be before end"));
    }
    Duration most = bucket == Bucket.HOUR ? HOURS_SPAN_MOST : SPAN_MOST;
    if (Duration.between(start, end).compareTo(most) > 0) {
      throw new Refused(
          Refusal.Invalid.field(
              "start", "must be at most " + most.toDays() + " days before end for this bucket"));
    }
  }

  private UsageBucket view(UsageQuery.Row row, GroupBy groupBy) {
    return new UsageBucket(
        row.bucketStart(),
        row.gpuSeconds(),
        cents(row.costMicros()),
        groupBy == GroupBy.LEASE ? row.lease().map(Object::toString) : Optional.empty(),
        groupBy == GroupBy.GPU_MODEL
            ? row.gpuModel().map(model -> gpuTypes.of(model).name())
            : Optional.empty());
  }

  /** Rounded once for each row, half up. */
  private static long cents(long micros) {
    return BigDecimal.valueOf(micros, 4).setScale(0, RoundingMode.HALF_UP).longValueExact();
  }

  private static Optional<Bucket> bucket(String word) {
    return switch (word) {
      case "hour" -> Optional.of(Bucket.HOUR);
      case "day" -> Optional.of(Bucket.DAY);
      case "week" -> Optional.of(Bucket.WEEK);
      case "month" -> Optional.of(Bucket.MONTH);
      default -> Optional.empty();
    };
  }

  private static Optional<GroupBy> group(String word) {
    return switch (word) {
      case "instance_id" -> Optional.of(GroupBy.LEASE);
      case "gpu_type" -> Optional.of(GroupBy.GPU_MODEL);
      default -> Optional.empty();
    };
  }
}
