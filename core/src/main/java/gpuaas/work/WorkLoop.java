package gpuaas.work;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.SchedulerName;
import com.github.kagkarlsson.scheduler.task.CompletionHandler;
import com.github.kagkarlsson.scheduler.task.ExecutionComplete;
import com.github.kagkarlsson.scheduler.task.ExecutionOperations;
import com.github.kagkarlsson.scheduler.task.Task;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import gpuaas.db.Database;
import gpuaas.db.GroupCommit;
import gpuaas.work.WorkStore.Finished;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/**
 * Runs reconcilers over db-scheduler: each row by one worker at a time, as long as its steps want
 * to go on at once, then again after the pause they ask for or when woken.
 */
public final class WorkLoop implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(WorkLoop.class);
  private static final String SERVICE = "gpuaas-provisioning-worker"; // in logs
  private static final int STEPS_AT_ONCE_MOST = 50;
  private static final Duration FIRST_RETRY = Duration.ofSeconds(1);
  private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);
  private static final Duration SHUTDOWN_LIMIT = Duration.ofSeconds(20);

  private final Database database;
  private final InstantSource clock;
  private final GroupCommit finishing;
  private final Scheduler scheduler;
  private final Set<String> woken = ConcurrentHashMap.newKeySet();

  /**
   * @param server the name of this server, the same after a restart and different from all others
   * @param parallel how many rows at once
   */
  public WorkLoop(
      Database database,
      InstantSource clock,
      String server,
      int parallel,
      Duration pollEvery,
      List<Reconciler> reconcilers) {
    this.database = database;
    this.clock = clock;
    this.finishing = database.group(parallel);
    database.run(tx -> WorkStore.forgetPicks(tx, server));
    List<Task<?>> tasks = reconcilers.stream().<Task<?>>map(this::task).toList();
    this.scheduler =
        Scheduler.create(database.dataSource(), tasks)
            .tableName("work")
            .schedulerName(new SchedulerName.Fixed(server))
            .threads(parallel)
            .executorService(Executors.newVirtualThreadPerTaskExecutor())
            .pollUsingLockAndFetch(0.5, 1.0)
            .pollingInterval(pollEvery)
            .heartbeatInterval(Duration.ofSeconds(5))
            .missedHeartbeatsLimit(4)
            .shutdownMaxWait(SHUTDOWN_LIMIT)
            .build();
  }

  /** Begins to work. */
  public void start() {
    scheduler.start();
  }

  /** Looks at this now. To be called after the commit of the transaction that made it due. */
  public void wake(String kind, UUID id) {
    woken.add(key(kind, id.toString()));
    scheduler.triggerCheckForDueExecutions();
  }

  /** Finishes the steps that are running and begins no more. */
  @Override
  public void close() {
    scheduler.stop();
    finishing.close();
  }

  private Task<Void> task(Reconciler reconciler) {
    return Tasks.custom(reconciler.kind(), Void.class)
        .onDeadExecutionRevive()
        .onFailure(this::failed)
        .execute((instance, context) -> {
          try (var _ = MDC.putCloseable("service", SERVICE)) {
            Next next = steps(reconciler, instance.getId());
            return completion(reconciler.kind(), instance.getId(), next);
          }
        });
  }

  private Next steps(Reconciler reconciler, String id) {
    UUID row = UUID.fromString(id);
    Next next = Next.now();
    for (int i = 0; i < STEPS_AT_ONCE_MOST; i++) {
      boolean afresh = woken.remove(key(reconciler.kind(), id));
      try {
        next =
            next instanceof Next.GoOn(Next.Step known) && !afresh
                ? known.take()
                : reconciler.step(row);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return next;
      }
      boolean atOnce =
          switch (next) {
            case Next.Done _ -> false;
            case Next.After(Duration pause) -> pause.isZero();
            case Next.GoOn _ -> true;
          };
      if (!atOnce || Thread.currentThread().isInterrupted()) {
        return next;
      }
    }
    return next;
  }

  private CompletionHandler<Void> completion(String kind, String id, Next next) {
    return (complete, operations) -> {
      Instant now = clock.instant();
      Optional<Instant> again =
          switch (next) {
            case Next.Done _ -> Optional.empty();
            case Next.After(Duration pause) -> Optional.of(now.plus(pause));
            case Next.GoOn _ -> Optional.of(now);
          };
      long version = complete.getExecution().version;
      Runnable alone =
          () ->
              again.ifPresentOrElse(at -> operations.reschedule(complete, at), operations::remove);
      finishing.together(
          tx -> {
            tx.claim(WorkStore.FINISHED, new Finished(kind, id, version, again, now));
            return true;
          },
          () -> {
            alone.run();
            return true;
          });
      // Whoever woke it after its last look could not change the row while it was picked: do it for
      // them.
      if (woken.remove(key(kind, id))) {
        database.run(tx -> WorkStore.due(tx, kind, UUID.fromString(id), clock.instant()));
        scheduler.triggerCheckForDueExecutions();
      }
    };
  }

  private void failed(ExecutionComplete complete, ExecutionOperations<Void> operations) {
    int failures = complete.getExecution().consecutiveFailures;
    Duration pause = FIRST_RETRY.multipliedBy(1L << Math.min(failures, 10));
    Instant next = clock.instant().plus(pause.compareTo(LONGEST_RETRY) < 0 ? pause : LONGEST_RETRY);
    log.warn(
        "step of {} failed {} times; next at {}",
        complete.getExecution().taskInstance,
        failures + 1,
        next,
        complete.getCause().orElse(null));
    operations.reschedule(complete, next);
  }

  private static String key(String kind, String id) {
    return kind + "/" + id;
  }
}
