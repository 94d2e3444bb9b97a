package gpuaas.archive;

import gpuaas.archive.Archive.Kept;
import gpuaas.archive.Archive.Owner;
import gpuaas.archive.ArchiveFolder.Writing;
import gpuaas.archive.Transfer.Outcome;
import gpuaas.base.Ids;
import gpuaas.db.Database;
import gpuaas.provider.Providers;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.ProviderException;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes the files out of environments that end, and puts them into the next. Both go on by
 * themselves: who asks gets an answer at once, and asks again.
 */
public final class Archives {

  private static final Logger log = LoggerFactory.getLogger(Archives.class);

  /** The keys that open a machine are the machine's, not the files'. */
  private static final String SAVE =
      "cd \"$HOME\" || exit 2; set --;"
          // One file that its owner may not read must not be the loss of all others.
          + " if tar --version 2>/dev/null | grep -q GNU; then set -- --ignore-failed-read; fi;"
          + " exec tar \"$@\" --exclude=./.ssh/authorized_keys -czf - .";

  private static final String RESTORE = "cd \"$HOME\" && exec tar -xzof -";

  /** What tar ends with when a file changed while it was read; it is kept as it was read. */
  private static final int CHANGED = 1;

  private static final int TRIES_MOST = 3;
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
  private static final int PAUSE_DOUBLINGS = 6;
  private static final int PROBLEM_LENGTH_MOST = 500;
  private static final Duration LEFT_OVER_AFTER = Duration.ofDays(1);

  private final Database database;
  private final Providers providers;
  private final ArchiveFolder folder;
  private final Ids ids;
  private final InstantSource clock;
  private final ArchiveRules rules;
  private final ConcurrentMap<UUID, Attempt> attempts = new ConcurrentHashMap<>();

  public Archives(
      Database database, Providers providers, Ids ids, InstantSource clock, ArchiveRules rules) {
    this.database = database;
    this.providers = providers;
    this.folder = new ArchiveFolder(rules.folder());
    this.ids = ids;
    this.clock = clock;
    this.rules = rules;
  }

  /** How far it is. */
  public enum Progress {
    /** Look again. */
    UNDER_WAY,
    DONE,
    /** It has been tried for as long as it may. */
    FAILED
  }

  private record Attempt(int number, Instant begunAt, Transfer transfer) {}

  /** What failed is not begun again at once: all of it would be sent again and again. */
  private boolean isRested(Attempt attempt) {
    Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.min(attempt.number(), PAUSE_DOUBLINGS));
    return !clock.instant().isBefore(attempt.begunAt().plus(pause));
  }

  /** The limits. */
  public ArchiveRules rules() {
    return rules;
  }

  /** What became of a lease's files; empty: nothing yet. */
  public Optional<Archive> find(UUID lease) {
    return database.read(tx -> ArchiveStore.find(tx, lease));
  }

  /**
   * Takes the files of an environment.
   *
   * @param since when it ended: what takes too long from then on is given up
   */
  public Progress save(Owner owner, InstanceRef instance, Instant since) {
    Optional<Archive> written = find(owner.lease());
    if (written.isPresent()) {
      forget(owner.lease());
      return written.get().isKept() ? Progress.DONE : Progress.FAILED;
    }
    Attempt attempt = attempts.get(owner.lease());
    Optional<Outcome> outcome = attempt == null ? Optional.empty() : attempt.transfer().outcome();
    if (outcome.isPresent() && outcome.get() instanceof Outcome.Hopeless(String why)) {
      return lost(owner, why);
    }
    if (!clock.instant().isBefore(since.plus(rules.saveLimit()))) {
      String last = outcome.map(Outcome::toString).orElse("it took too long");
      return lost(owner, "not within " + rules.saveLimit() + ": " + last);
    }
    if (attempt == null || (outcome.isPresent() && isRested(attempt))) {
      begin(owner, instance, attempt, "save", transfer -> take(owner, transfer));
    }
    return Progress.UNDER_WAY;
  }

  /** Puts the newest files of this name into an environment; nothing when there are none. */
  public Progress restore(Owner owner, InstanceRef instance) {
    Attempt attempt = attempts.get(owner.lease());
    if (attempt == null) {
      Optional<Archive> newest =
          database.read(tx -> ArchiveStore.newest(tx, owner.project(), owner.name()));
      if (newest.isEmpty()) {
        return Progress.DONE;
      }
      Kept kept = newest.get().file().orElseThrow();
      begin(owner, instance, null, "restore", transfer -> put(kept, transfer));
      return Progress.UNDER_WAY;
    }
    Optional<Outcome> outcome = attempt.transfer().outcome();
    if (outcome.isEmpty()) {
      return Progress.UNDER_WAY;
    }
    return switch (outcome.get()) {
      case Outcome.Done _ -> Progress.DONE;
      case Outcome.Hopeless(String why) -> notRestored(owner, why);
      case Outcome.Failed(String why) when attempt.number() >= TRIES_MOST ->
          notRestored(owner, why);
      case Outcome.Failed _ -> {
        Optional<Kept> kept =
            database
                .read(tx -> ArchiveStore.newest(tx, owner.project(), owner.name()))
                .flatMap(Archive::file);
        if (kept.isEmpty()) {
          yield Progress.DONE;
        }
        begin(owner, instance, attempt, "restore", transfer -> put(kept.get(), transfer));
        yield Progress.UNDER_WAY;
      }
    };
  }

  /** The same in words, for what is told of it. */
  public Map<String, String> details(UUID lease) {
    return find(lease)
        .map(archive ->
            archive
                .file()
                .map(kept ->
                    Map.of(
                        "bytes",
                        Long.toString(kept.bytes()),
                        "kept_until",
                        archive.keptUntil().toString()))
                .orElseGet(() -> Map.of("reason", archive.problem())))
        .orElseGet(Map::of);
  }

  /** True while files of this lease are on their way. */
  public boolean isBusy(UUID lease) {
    Attempt attempt = attempts.get(lease);
    return attempt != null && attempt.transfer().outcome().isEmpty();
  }

  /** Ends what is on its way. */
  public void forget(UUID lease) {
    Attempt attempt = attempts.remove(lease);
    if (attempt != null) {
      attempt.transfer().cancel();
    }
  }

  /** They cannot be had any more. */
  public Progress lost(Owner owner, String why) {
    forget(owner.lease());
    log.warn("the files of lease {} are lost: {}", owner.lease(), why);
    write(owner, Optional.empty(), why);
    return Progress.FAILED;
  }

  private Progress notRestored(Owner owner, String why) {
    log.warn("the files for lease {} could not be brought in: {}", owner.lease(), why);
    return Progress.FAILED;
  }

  private void begin(
      Owner owner,
      InstanceRef instance,
      @Nullable Attempt before,
      String what,
      Transfer.Work work) {
    HasExec exec =
        providers
            .ability(instance, HasExec.class)
            .orElse((_, _) -> {
              throw new ProviderException.Rejected("nothing can be started in it");
            });
    Transfer transfer = Transfer.begin(exec, instance, what + " " + owner.lease(), work);
    attempts.put(
        owner.lease(),
        new Attempt(before == null ? 1 : before.number() + 1, clock.instant(), transfer));
  }

  private Outcome take(Owner owner, Transfer transfer) throws IOException, InterruptedException {
    // The name is new: another server may be doing the same.
    String name = owner.lease() + "-" + ids.next().toString().substring(24);
    try (Writing writing = folder.write(name)) {
      Kept kept =
          transfer.shell(
              SAVE,
              List.of(0, CHANGED),
              channel -> {
                channel.input().close();
                return writing.take(channel.output(), rules);
              });
      writing.keep();
      if (!write(owner, Optional.of(kept), "")) {
        folder.delete(kept);
      }
      return new Outcome.Done();
    }
  }

  private Outcome put(Kept kept, Transfer transfer) throws IOException, InterruptedException {
    boolean whole =
        transfer.shell(
            RESTORE,
            List.of(0),
            channel -> {
              boolean same;
              try (var input = channel.input()) {
                same = folder.copyTo(kept, input);
              }
              channel.output().transferTo(OutputStream.nullOutputStream());
              return same;
            });
    return whole ? new Outcome.Done() : new Outcome.Hopeless("the archive is damaged");
  }

  private boolean write(Owner owner, Optional<Kept> kept, String problem) {
    Instant now = clock.instant();
    Archive archive =
        new Archive(
            owner.lease(),
            owner.project(),
            owner.name(),
            kept,
            problem.substring(0, Math.min(PROBLEM_LENGTH_MOST, problem.length())),
            now,
            now.plus(rules.keptFor()));
    return database.tx(tx -> ArchiveStore.add(tx, archive));
  }

  /** Forgets what is too old, and clears away files that nobody knows. */
  public void tidy() {
    database.run(tx -> ArchiveStore.forget(tx, clock.instant(), rules.keptMost()));
    try {
      // Young ones may be on their way; by the clock of the disk, not ours.
      List<String> old = folder.olderThan(clock.instant().minus(LEFT_OVER_AFTER));
      Set<String> known = database.read(tx -> ArchiveStore.known(tx, old));
      for (String fileName : old) {
        if (!known.contains(fileName)) {
          folder.delete(fileName);
        }
      }
    } catch (IOException e) {
      log.warn("the folder of archives cannot be cleared: {}", e.getMessage());
    }
  }
}
