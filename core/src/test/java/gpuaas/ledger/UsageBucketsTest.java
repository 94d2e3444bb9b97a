package gpuaas.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import gpuaas.db.Database;
import gpuaas.db.TestDatabase;
import gpuaas.ledger.UsageQuery.Bucket;
import gpuaas.ledger.UsageQuery.GroupBy;
import gpuaas.ledger.UsageQuery.Row;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Use by time and group: cut at the edges, running leases up to now, and equal to the bill. */
class UsageBucketsTest {

  private static final UUID TENANT = new UUID(0, 2);
  private static final UUID PROJECT = new UUID(0, 3);
  private static final UUID OTHER_PROJECT = new UUID(0, 4);
  private static final UUID ENDED = new UUID(0, 11);
  private static final UUID RUNNING = new UUID(0, 12);
  private static final Instant NOW = Instant.parse("2026-03-02T12:30:00Z");

  private static Database database;

  @BeforeAll
  static void open() {
    database = TestDatabase.open();
    // Two GPUs over the end of a month, which is a Sunday; ended.
    add(ENDED, PROJECT, "H200", 2, "2026-02-28T23:59:59.5Z", "2026-03-02T00:00:10.2Z", true);
    // One GPU, running, written down until a while ago.
    add(RUNNING, PROJECT, "H100", 1, "2026-03-02T11:00:00Z", "2026-03-02T12:10:00Z", false);
    add(
        new UUID(0, 13),
        OTHER_PROJECT,
        "H200",
        8,
        "2026-03-02T10:00:00Z",
        "2026-03-02T11:00:00Z",
        true);
    add(new UUID(0, 14), PROJECT, "H200", 8, null, null, true);
  }

  @AfterAll
  static void close() {
    database.close();
  }

  private static void add(
      UUID lease, UUID project, String model, int gpus, String from, String to, boolean closed) {
    Instant start = from == null ? null : Instant.parse(from);
    Instant end = to == null ? null : Instant.parse(to);
    Hold hold =
        new Hold(
            new Hold.Owner(lease, TENANT, project, Optional.empty()),
            model,
            gpus,
            3_600_007,
            "USD",
            NOW,
            0,
            0,
            0,
            Optional.ofNullable(start),
            Optional.ofNullable(end),
            closed ? Optional.of(NOW) : Optional.empty());
    database.run(tx -> HoldStore.add(tx, hold));
  }

  private static UsageQuery query(Bucket bucket, GroupBy groupBy) {
    return new UsageQuery(
        TENANT,
        Optional.of(PROJECT),
        Optional.empty(),
        bucket,
        groupBy,
        Instant.parse("2026-01-01T00:00:00Z"),
        Instant.parse("2027-01-01T00:00:00Z"),
        NOW,
        Optional.empty(),
        1000);
  }

  private static List<Row> rows(UsageQuery query) {
    return database.read(tx -> UsageStore.buckets(tx, query));
  }

  private static String text(Row row) {
    return row.bucketStart() + " " + row.key().group() + " " + row.gpuSeconds();
  }

  @Test
  void daysAreCutAtMidnightInUtc() {
    assertThat(rows(query(Bucket.DAY, GroupBy.NONE)).stream().map(UsageBucketsTest::text))
        .containsExactly(
            // Half a second is not a whole one: it counts where the second becomes whole.
            "2026-02-28T00:00:00Z  0",
            "2026-03-01T00:00:00Z  172800",
            "2026-03-02T00:00:00Z  " + (2 * 10 + 5400));
  }

  @Test
  void weeksBeginOnMondayAndMonthsOnTheFirst() {
    assertThat(rows(query(Bucket.WEEK, GroupBy.LEASE)).stream().map(UsageBucketsTest::text))
        .containsExactly(
            "2026-02-23T00:00:00Z " + ENDED + " 172800",
            "2026-03-02T00:00:00Z " + ENDED + " 20",
            "2026-03-02T00:00:00Z " + RUNNING + " 5400");
    assertThat(rows(query(Bucket.MONTH, GroupBy.GPU_MODEL)).stream().map(UsageBucketsTest::text))
        .containsExactly(
            "2026-02-01T00:00:00Z H200 0",
            "2026-03-01T00:00:00Z H100 5400",
            "2026-03-01T00:00:00Z H200 172820");
  }

  @Test
  void anyBucketsAddUpToTheBill() {
    long bill = Usage.cost(86_410, 2, 3_600_007) + Usage.cost(5_400, 1, 3_600_007);
    for (Bucket bucket : Bucket.values()) {
      for (GroupBy groupBy : GroupBy.values()) {
        assertThat(rows(query(bucket, groupBy)).stream().mapToLong(Row::costMicros).sum())
            .as("%s by %s", bucket, groupBy)
            .isEqualTo(bill);
      }
    }
  }

  @Test
  void startAndEndCutAndAnotherProjectIsNotSeen() {
    UsageQuery all = query(Bucket.HOUR, GroupBy.LEASE);
    UsageQuery cut =
        new UsageQuery(
            TENANT,
            Optional.of(PROJECT),
            Optional.of(RUNNING),
            Bucket.HOUR,
            GroupBy.LEASE,
            Instant.parse("2026-03-02T11:30:00Z"),
            Instant.parse("2026-03-02T12:00:30Z"),
            NOW,
            Optional.empty(),
            1000);
    assertThat(rows(cut).stream().map(UsageBucketsTest::text))
        .containsExactly(
            "2026-03-02T11:00:00Z " + RUNNING + " 1800", "2026-03-02T12:00:00Z " + RUNNING + " 30");
    assertThat(rows(all)).noneMatch(row -> row.lease().equals(Optional.of(new UUID(0, 13))));
  }

  @Test
  void pagesTogetherAreTheWhole() {
    UsageQuery query = query(Bucket.HOUR, GroupBy.LEASE);
    List<Row> paged = new ArrayList<>();
    Optional<UsageQuery.Key> after = Optional.empty();
    List<Row> page;
    do {
      page =
          rows(
              new UsageQuery(
                  TENANT,
                  query.project(),
                  query.lease(),
                  query.bucket(),
                  query.groupBy(),
                  query.start(),
                  query.end(),
                  NOW,
                  after,
                  7));
      paged.addAll(page);
      after = page.isEmpty() ? after : Optional.of(page.getLast().key());
    } while (!page.isEmpty());
    assertThat(paged).isEqualTo(rows(query)).hasSizeGreaterThan(20);
  }
}
