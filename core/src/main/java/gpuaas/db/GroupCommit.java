package gpuaas.db;

import gpuaas.db.Tx.OwnTransaction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.JdbiException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts changes of many callers into one transaction: one statement for each kind of row, one
 * commit. Each decides by itself and fails by itself; nobody is answered before the commit.
 */
public final class GroupCommit implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

  private final Jdbi jdbi;
  private final int most;
  private final BlockingQueue<Member<?>> waiting = new LinkedBlockingQueue<>();
  private final Member<?> end = new Member<>(_ -> true);
  private volatile boolean closed;

  /**
   * @param writers transactions at once
   * @param most changes in one of them
   */
  GroupCommit(Jdbi jdbi, int writers, int most) {
    this.jdbi = jdbi;
    this.most = most;
    for (int i = 0; i < writers; i++) {
      Thread.ofVirtual().name("group-commit-" + i).start(this::write);
    }
  }

  /** As {@link Database#together}, with those of this group alone. */
  public <T extends @Nullable Object> T together(Function<Tx, T> work, Supplier<T> otherwise) {
    try {
      return run(work);
    } catch (OwnTransaction _) {
      return otherwise.get();
    }
  }

  /**
   * Runs a change with whatever else is waiting.
   *
   * @throws OwnTransaction it cannot be done with others, and had no effect
   */
  private <T extends @Nullable Object> T run(Function<Tx, T> work) {
    Member<T> member = new Member<>(work);
    waiting.add(member);
    if (closed && waiting.remove(member)) {
      throw new OwnTransaction();
    }
    return member.await();
  }

  private void write() {
    List<Member<?>> members = new ArrayList<>();
    while (!members.contains(end)) {
      members.clear();
      try {
        members.add(waiting.take());
      } catch (InterruptedException _) {
        return; // nobody does that; the thread is our own
      }
      waiting.drainTo(members, most - 1);
      try {
        write(members);
      } catch (Throwable e) {
        LOG.error("a transaction of {} changes failed", members.size(), e);
        members.forEach(member -> member.fail(new IllegalStateException(e)));
      }
      members.forEach(Member::finish);
    }
    waiting.add(end); // for the next writer
  }

  private void write(List<Member<?>> members) {
    Tx tx;
    try {
      tx =
          jdbi.inTransaction(handle -> {
            Tx shared = new Tx(handle);
            write(shared, members);
            return shared;
          });
    } catch (RuntimeException e) {
      RuntimeException failure =
          e instanceof JdbiException database ? Database.translated(database) : e;
      LOG.debug("{} changes are written one by one", members.size(), failure);
      // What failed for one must not fail for all, unless the database itself is the reason.
      members.forEach(
          member -> member.fail(failure instanceof DatabaseGone ? failure : new OwnTransaction()));
      return;
    }
    try {
      tx.committed();
    } catch (RuntimeException e) {
      LOG.error("what was to be done after a commit failed", e); // it is committed all the same
    }
  }

  private static void write(Tx tx, List<Member<?>> members) {
    members.forEach(member -> member.decide(tx));
    claim(tx, members);
    for (Member<?> member : members) {
      if (member.failure == null && member.tx != null) {
        tx.addAll(member.tx);
      }
    }
    tx.flush();
  }

  private static void claim(Tx tx, List<Member<?>> members) {
    Map<Claims<Object>, Map<Object, Member<?>>> firsts = new LinkedHashMap<>();
    for (Member<?> member : members) {
      Claim claim = member.claim;
      if (member.failure != null || claim == null) {
        continue;
      }
      Member<?> first =
          firsts
              .computeIfAbsent(claim.kind(), _ -> new LinkedHashMap<>())
              .putIfAbsent(claim.key(), member);
      if (first != null) {
        member.fail(new OwnTransaction()); // where it will find what the first one left
      }
    }
    firsts.forEach((kind, byKey) -> {
      List<Object> rows = new ArrayList<>();
      byKey.values().forEach(member -> rows.add(Objects.requireNonNull(member.claim).row()));
      Set<Object> won = kind.write(tx, rows);
      byKey.forEach((key, member) -> {
        if (!won.contains(key)) {
          member.fail(new OwnTransaction());
        }
      });
    });
  }

  /** Finishes what was begun. */
  @Override
  public void close() {
    closed = true;
    waiting.add(end);
  }

  private record Claim(Claims<Object> kind, Object row) {
    Object key() {
      return kind.key(row);
    }
  }

  /** A change that waits for its transaction. */
  private static final class Member<T extends @Nullable Object> implements Tx.Group {

    private final Function<Tx, T> work;
    private final CountDownLatch done = new CountDownLatch(1);
    private @Nullable Tx tx;
    private @Nullable Claim claim;
    private @Nullable RuntimeException failure;
    private @Nullable Supplier<T> result;

    Member(Function<Tx, T> work) {
      this.work = work;
    }

    void decide(Tx shared) {
      tx = shared.member(this);
      try {
        T decided = work.apply(tx);
        result = () -> decided;
      } catch (JdbiException e) {
        throw e; // the transaction is lost, for all
      } catch (RuntimeException | StackOverflowError e) {
        fail(e instanceof RuntimeException failed ? failed : new IllegalStateException(e));
      }
    }

    void fail(RuntimeException e) {
      if (failure == null) {
        failure = e;
      }
    }

    void finish() {
      done.countDown();
    }

    T await() {
      boolean interrupted = false;
      while (true) {
        try {
          done.await();
          break;
        } catch (InterruptedException _) {
          interrupted = true; // it is being written: only the outcome is an answer
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      if (failure != null) {
        throw failure;
      }
      Objects.requireNonNull(tx).committed();
      return Objects.requireNonNull(result).get();
    }

    @Override
    @SuppressWarnings("unchecked") // the row goes nowhere but to its kind
    public <R> void claim(Claims<R> kind, R row) {
      if (claim != null) {
        throw new OwnTransaction(); // it could win one, lose the other, and be half written
      }
      claim = new Claim((Claims<Object>) kind, row);
    }
  }
}
