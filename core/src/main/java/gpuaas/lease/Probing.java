package gpuaas.lease;

import gpuaas.archive.Archive;
import gpuaas.archive.Archives;
import gpuaas.archive.Archives.Progress;
import gpuaas.lease.LeaseBook.Signals;
import gpuaas.lease.LeaseHistory.Trouble;
import gpuaas.lease.LeaseSignal.Answered;
import gpuaas.lease.LeaseSignal.Gone;
import gpuaas.lease.LeaseSignal.StopAsked;
import gpuaas.lease.LeaseSignal.Troubled;
import gpuaas.lease.LeaseState.Booting;
import gpuaas.provider.Providers;
import gpuaas.spi.Endpoint;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.ProviderException;
import gpuaas.work.Next;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The step of a booting lease: is it up, does it answer, and are the files there that were kept for
 * it? Only then may it count as running.
 */
final class Probing {

  private static final Duration COULD_NOT_ASK = Duration.ofSeconds(5);
  private static final Duration FILES_PAUSE = Duration.ofMillis(200);
  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

  private static final int WORDS_MOST = 400;
  private static final Pattern PATH = Pattern.compile("(?<![\\w:/.-])(/[\\w.+-]+){2,}");

  private final Providers providers;
  private final LeaseParts.Readiness readiness;
  private final Archives archives;
  private final Signals signals;
  private final LeaseRules rules;

  Probing(
      Providers providers,
      LeaseParts.Readiness readiness,
      Archives archives,
      Signals signals,
      LeaseRules rules) {
    this.providers = providers;
    this.readiness = readiness;
    this.archives = archives;
    this.signals = signals;
    this.rules = rules;
  }

  Next step(Lease lease, Booting b) throws InterruptedException {
    if (!signals.now().isBefore(b.since().plus(bootLimit(lease.spec())))) {
      return signals.goOn(lease, new StopAsked(EndReason.BOOT_TIMEOUT));
    }
    if (archives.isBusy(lease.id())) {
      return Next.after(FILES_PAUSE);
    }
    Optional<InstanceStatus> status;
    try {
      if (lease.history().restarts() > 0) {
        providers.restart(b.instance(), lease.history().restarts());
      }
      status = providers.get(b.instance().provider()).inspect(b.instance());
    } catch (ProviderException couldNotAsk) {
      return Next.after(COULD_NOT_ASK);
    }
    if (status.isEmpty()) {
      return signals.goOn(lease, new Gone());
    }
    return switch (status.get()) {
      case InstanceStatus.Starting(Duration lookAgainIn) -> Next.after(lookAgainIn);
      case InstanceStatus.Failed(String why) -> {
        Trouble failed = lease.history().trouble().failed(shown(why));
        yield signals.goOn(
            lease,
            failed.equals(lease.history().trouble())
                ? new StopAsked(EndReason.BOOT_FAILED)
                : new Troubled(failed));
      }
      case InstanceStatus.Up(Optional<Endpoint> ssh, _) -> prove(lease, b, ssh);
    };
  }

  /** A provider's words, for the owner of a lease: short, and without the paths of our machines. */
  static String shown(String why) {
    String text = PATH.matcher(why).replaceAll("…");
    return text.length() > WORDS_MOST ? text.substring(0, WORDS_MOST) + "…" : text;
  }

  private Next prove(Lease lease, Booting b, Optional<Endpoint> ssh) throws InterruptedException {
    Optional<Endpoint> answered = readiness.prove(lease, b.instance(), ssh);
    if (answered.isEmpty()) {
      return Next.after(pauseFor(Duration.between(b.since(), signals.now())));
    }
    return switch (files(lease, b)) {
      case UNDER_WAY -> Next.after(FILES_PAUSE);
      case FAILED -> {
        yield signals.goOn(lease, new StopAsked(EndReason.BOOT_FAILED));
      }
      case DONE -> {
        Next next = signals.goOn(lease, new Answered(answered.get()));
        archives.forget(lease.id());
        yield next;
      }
    };
  }

  /** Brings in what was kept; after the one before has brought its own to safety. */
  private Progress files(Lease lease, Booting b) {
    Optional<Archive.Owner> owner = lease.keeper();
    boolean restarted = lease.history().readyAt().isPresent();
    if (owner.isEmpty() || restarted) {
      return Progress.DONE;
    }
    return signals.book().isKeptNow(lease)
        ? Progress.UNDER_WAY
        : archives.restore(owner.get(), b.instance());
  }

  private Duration bootLimit(LeaseSpec spec) {
    Duration limit = spec.bootLimit().orElse(rules.bootLimit());
    return spec.keep().isPresent() ? limit.plus(archives.rules().restoreLimit()) : limit;
  }

  /**
   * The longer it has taken, the longer the pause: a fast provider is seen at once, a slow one not
   * pestered.
   */
  private static Duration pauseFor(Duration soFar) {
    Duration tenth = soFar.dividedBy(10);
    if (tenth.compareTo(SHORTEST_PAUSE) < 0) {
      return SHORTEST_PAUSE;
    }
    return tenth.compareTo(LONGEST_PAUSE) < 0 ? tenth : LONGEST_PAUSE;
  }
}
