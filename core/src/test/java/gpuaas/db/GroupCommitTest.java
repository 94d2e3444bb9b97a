package gpuaas.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import gpuaas.spi.Eventually;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GroupCommitTest {

  private static final int PEOPLE = 200;
  private static final int WRITERS = 2;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private record Row(String key, int value) {}

  private static final Insert<Row> ROWS =
      Insert.<Row>into("thing").with("key", "text", Row::key).with("value", "integer", Row::value);

  private static final Claims<Row> FIRST =
      new Claims<>() {
        private final Insert<Row> rows =
            Insert.<Row>into("claimed")
                .with("key", "text", Row::key)
                .then("on conflict (key) do nothing returning key");

        @Override
        public Object key(Row row) {
          return row.key();
        }

        @Override
        public Set<Object> write(Tx tx, List<Row> all) {
          return Set.copyOf(rows.writeReturning(tx, all));
        }
      };

  private Database database;

  @BeforeEach
  void open() {
    database = Database.open(TestDatabase.settings().withGroups(WRITERS, 100));
    database.run(tx -> {
      tx.update("create table thing (key text, value integer check (value >= 0))").execute();
      tx.update("create table claimed (key text primary key)").execute();
    });
  }

  @AfterEach
  void close() {
    database.close();
  }

  private int count(String table) {
    return database.read(
        tx -> tx.query("select count(*) from " + table).mapTo(Integer.class).one());
  }

  private int transactions() {
    return database.read(
        tx -> tx.query("select count(distinct xmin::text) from thing").mapTo(Integer.class).one());
  }

  private static <T> Supplier<T> never() {
    return () -> {
      throw new AssertionError("was not done together");
    };
  }

  /** All at once, each by itself. */
  private static <T> List<T> all(Callable<T> work) throws Exception {
    List<T> results = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<T> each :
          threads.invokeAll(IntStream.range(0, PEOPLE).mapToObj(_ -> work).toList())) {
        results.add(each.get());
      }
    }
    return results;
  }

  /** Holds the writers back until so many changes wait. */
  private void gather(Callable<?> meanwhile) throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch held = new CountDownLatch(WRITERS);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < WRITERS; i++) {
        var _ =
            threads.submit(() ->
                database.together(
                    tx -> {
                      held.countDown();
                      awaitQuietly(go);
                      return tx;
                    },
                    never()));
        long left = WRITERS - i - 1L;
        Eventually.within(PATIENCE, "a writer is held", () -> held.getCount() == left);
      }
      Future<?> all = threads.submit(meanwhile);
      go.countDown();
      all.get();
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertThat(latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void many() throws Exception {
    // Shows that changes of many are all there when they are answered, in far fewer transactions.
    AtomicInteger told = new AtomicInteger();
    AtomicInteger number = new AtomicInteger();
    List<Integer> there = new ArrayList<>();
    gather(() ->
        there.addAll(
            all(() -> {
              int mine = number.incrementAndGet();
              database.together(
                  tx -> {
                    tx.later(ROWS, new Row("a", mine));
                    tx.afterCommit(told::incrementAndGet);
                    return mine;
                  },
                  never());
              return database.read(tx ->
                  tx.query("select count(*) from thing where value = :mine")
                      .bind("mine", mine)
                      .mapTo(Integer.class)
                      .one());
            })));
    assertThat(there).hasSize(PEOPLE).containsOnly(1);
    assertThat(told).hasValue(PEOPLE);
    assertThat(transactions()).isLessThan(PEOPLE / 2);
  }

  @Test
  void failures() throws Exception {
    // Shows that whoever fails fails alone, with nothing written and nobody told.
    AtomicInteger number = new AtomicInteger();
    AtomicInteger told = new AtomicInteger();
    List<Boolean> good =
        all(() -> {
          int mine = number.incrementAndGet();
          try {
            return database.together(
                tx -> {
                  tx.later(ROWS, new Row("a", mine));
                  tx.afterCommit(told::incrementAndGet);
                  if (mine % 2 == 0) {
                    throw new IllegalArgumentException("no");
                  }
                  return true;
                },
                never());
          } catch (IllegalArgumentException e) {
            return false;
          }
        });
    assertThat(good).filteredOn(each -> each).hasSize(PEOPLE / 2);
    assertThat(count("thing")).isEqualTo(PEOPLE / 2);
    assertThat(told).hasValue(PEOPLE / 2);
    assertThat(count("thing where value % 2 = 0")).isZero();
  }

  @Test
  void whatTheDatabaseRefuses() throws Exception {
    // Shows that a row which the database does not take spoils no other's change.
    AtomicInteger number = new AtomicInteger();
    List<Boolean> good =
        all(() -> {
          int mine = number.incrementAndGet();
          Row row = new Row("a", mine == 7 ? -1 : mine);
          try {
            return database.together(
                tx -> {
                  tx.later(ROWS, row);
                  return true;
                },
                () ->
                    database.tx(tx -> {
                      tx.later(ROWS, row);
                      return true;
                    }));
          } catch (RuntimeException e) {
            assertThat(e).hasMessageContaining("check constraint");
            return false;
          }
        });
    assertThat(good).filteredOn(each -> !each).hasSize(1);
    assertThat(count("thing")).isEqualTo(PEOPLE - 1);
  }

  @Test
  void claims() throws Exception {
    // Shows that of all who claim the same only one has an effect, whether they share a
    // transaction or not; the others have none and go the other way.
    List<String> outcomes = new ArrayList<>();
    Callable<String> claim =
        () ->
            database.together(
                tx -> {
                  tx.later(ROWS, new Row("a", 1));
                  tx.claim(FIRST, new Row("k", 0));
                  return "first";
                },
                () -> "late");
    gather(() -> outcomes.addAll(all(claim)));
    outcomes.add(claim.call());
    assertThat(outcomes).filteredOn("first"::equals).hasSize(1);
    assertThat(outcomes).filteredOn("late"::equals).hasSize(PEOPLE);
    assertThat(count("thing")).isEqualTo(1);
  }

  @Test
  void twoClaims() {
    // Shows that nobody wins one row and loses another: that is done alone. And that what the rows
    // leave for after the commit is done.
    String way =
        database.together(
            tx -> {
              tx.claim(FIRST, new Row("one", 0));
              tx.claim(FIRST, new Row("two", 0));
              return "together";
            },
            () -> "alone");
    assertThat(way).isEqualTo("alone");
    assertThat(count("claimed")).isZero();
    AtomicInteger told = new AtomicInteger();
    Claims<Row> telling =
        new Claims<>() {
          @Override
          public Object key(Row row) {
            return row.key();
          }

          @Override
          public Set<Object> write(Tx tx, List<Row> rows) {
            tx.afterCommit(told::incrementAndGet);
            return Set.of("one");
          }
        };
    database.together(
        tx -> {
          tx.claim(telling, new Row("one", 0));
          return true;
        },
        never());
    assertThat(told).hasValue(1);
  }

  @Test
  void ownTransaction() {
    // Shows that a change that has to read goes its own way, and that what it put off before is
    // seen by what it reads.
    int seen =
        database.together(
            _ -> {
              throw new Tx.OwnTransaction();
            },
            () ->
                database.tx(tx -> {
                  tx.later(ROWS, new Row("a", 1));
                  return tx.query("select count(*) from thing").mapTo(Integer.class).one();
                }));
    assertThat(seen).isEqualTo(1);
    AtomicInteger tries = new AtomicInteger();
    String way =
        database.together(
            tx -> {
              tries.incrementAndGet();
              return tx.query("select 'shared'").mapTo(String.class).one();
            },
            () -> "own");
    assertThat(way).isEqualTo("own");
    assertThat(tries).hasValue(1);
  }

  @Test
  void recalls() throws Exception {
    // Shows that what is recalled is read once for all who share a transaction, and goes on being
    // read by those who come later.
    AtomicInteger reads = new AtomicInteger();
    Callable<Integer> change =
        () ->
            database.together(
                tx ->
                    tx.recall(
                        "one",
                        own -> {
                          reads.incrementAndGet();
                          return own.query("select 1").mapTo(Integer.class).one();
                        }),
                never());
    gather(() -> all(change));
    assertThat(reads.get()).isBetween(1, PEOPLE / 2);
    int before = reads.get();
    change.call();
    assertThat(reads).hasValue(before + 1);
  }

  @Test
  void closedDatabase() {
    // Shows that whoever comes after the end is not left waiting.
    database.close();
    assertThatThrownBy(() ->
            database.together(
                tx -> {
                  tx.later(ROWS, new Row("a", 1));
                  return true;
                },
                () -> {
                  throw new IllegalStateException("the other way");
                }))
        .isInstanceOf(RuntimeException.class);
  }

  @Test
  void everyKindOfValue() {
    // Shows that odd texts, nothing, and many of them arrive as they are.
    List<String> odd =
        List.of("{a,\"b\"}", "NULL", "", "back\\slash", "line\nbreak", "\u00fc\u20ac");
    database.run(tx -> odd.forEach(text -> tx.later(ROWS, new Row(text, 1))));
    List<String> there =
        database.read(tx -> tx.query("select key from thing").mapTo(String.class).list());
    assertThat(there).containsExactlyElementsOf(odd);
  }
}
