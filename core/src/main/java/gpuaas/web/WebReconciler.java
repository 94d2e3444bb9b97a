package gpuaas.web;

import gpuaas.db.Database;
import gpuaas.lease.Lease;
import gpuaas.lease.LeaseState;
import gpuaas.lease.Leases;
import gpuaas.provider.Providers;
import gpuaas.spi.InstanceRef;
import gpuaas.web.JupyterProgram.Started;
import gpuaas.web.Web.Jupyter;
import gpuaas.web.Web.State;
import gpuaas.work.Next;
import gpuaas.work.Reconciler;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings Jupyter of a lease to where it is wanted, looks after it, and forgets all when the lease
 * has ended.
 */
public final class WebReconciler implements Reconciler {

  private static final Logger log = LoggerFactory.getLogger(WebReconciler.class);
  private static final Duration NOTHING_TO_DO = Duration.ofSeconds(30);
  private static final Duration WAITING = Duration.ofSeconds(5);

  /** Most leases that are to begin at once do so within it. */
  private static final Duration YOUNG = Duration.ofSeconds(30);

  private final Database database;
  private final Webs webs;
  private final Leases leases;
  private final JupyterProgram program;
  private final InstantSource clock;
  private final WebRules rules;

  /**
   * @param basePath the path under which a browser reaches Jupyter of a lease, by its host name
   */
  public WebReconciler(
      Database database,
      Webs webs,
      Leases leases,
      Providers providers,
      UnaryOperator<String> basePath,
      InstantSource clock,
      WebRules rules) {
    this.database = database;
    this.webs = webs;
    this.leases = leases;
    this.program = new JupyterProgram(providers, basePath, rules.commandLimit());
    this.clock = clock;
    this.rules = rules;
  }

  @Override
  public String kind() {
    return Webs.KIND;
  }

  @Override
  public Next step(UUID id) throws InterruptedException {
    Optional<Web> web = webs.find(id);
    if (web.isEmpty()) {
      return Next.done();
    }
    Optional<Lease> lease = leases.find(id);
    if (lease.isEmpty() || lease.get().state() instanceof LeaseState.Ended) {
      database.run(tx -> WebStore.forget(tx, id));
      return Next.done();
    }
    boolean wanted = web.get().jupyter().wanted();
    boolean young = lease.get().createdAt().plus(YOUNG).isAfter(clock.instant());
    return switch (lease.get().state()) {
      case LeaseState.Running running -> look(web.get(), running.instance());
      case LeaseState.Provisioning _, LeaseState.Booting _ ->
          Next.after(wanted ? rules.startLookEvery() : WAITING);
      case LeaseState.Waiting _ -> Next.after(wanted && young ? rules.startLookEvery() : WAITING);
      case LeaseState.Stopping _, LeaseState.Ended _ -> Next.after(WAITING);
    };
  }

  private Next look(Web web, InstanceRef instance) throws InterruptedException {
    Jupyter jupyter = web.jupyter();
    if (jupyter.state() == State.ENDING) {
      program.end(instance);
      became(web, State.OFF, "", 0);
      return Next.now();
    }
    if (!jupyter.wanted()) {
      return Next.after(NOTHING_TO_DO);
    }
    if (program.answers(instance, web)) {
      if (jupyter.state() != State.ON) {
        log.info("Jupyter of lease {} answers", web.lease());
        became(web, State.ON, "", 0);
      }
      return Next.after(rules.watchEvery());
    }
    return switch (jupyter.state()) {
      case OFF -> start(web, instance);
      case FAILED -> {
        Duration left =
            Duration.between(
                clock.instant(), jupyter.since().plus(rules.pause(jupyter.failures())));
        yield left.isPositive() ? Next.after(left) : start(web, instance);
      }
      case ON, STARTING -> silent(web, instance);
      case ENDING -> Next.now();
    };
  }

  private Next start(Web web, InstanceRef instance) throws InterruptedException {
    return switch (program.start(instance, web)) {
      case Started.Yes _ -> {
        // The last error stays to be seen until it answers.
        became(web, State.STARTING, web.jupyter().error(), web.jupyter().failures());
        yield Next.after(rules.startLookEvery());
      }
      case Started.No(String why) -> failed(web, why);
    };
  }

  /** It was started, and does not answer. */
  private Next silent(Web web, InstanceRef instance) throws InterruptedException {
    Jupyter jupyter = web.jupyter();
    Optional<String> died = program.died(instance, web);
    if (died.isPresent()) {
      return failed(web, "Jupyter ended: " + died.get());
    }
    Instant now = clock.instant();
    if (jupyter.state() == State.ON) {
      became(web, State.STARTING, "Jupyter does not answer", jupyter.failures());
    } else if (jupyter.since().plus(rules.startLimit()).isBefore(now)) {
      program.end(instance);
      return failed(
          web, "Jupyter did not answer within " + rules.startLimit().toSeconds() + " seconds");
    }
    return Next.after(rules.startLookEvery());
  }

  private Next failed(Web web, String why) {
    int failures = web.jupyter().failures() + 1;
    log.info("Jupyter of lease {} failed {} times", web.lease(), failures);
    became(web, State.FAILED, why, failures);
    return Next.after(rules.pause(failures));
  }

  private void became(Web web, State state, String error, int failures) {
    Instant now = clock.instant();
    database.run(tx -> WebStore.became(tx, web.lease(), state, error, failures, now));
  }
}
