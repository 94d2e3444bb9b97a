package gpuaas.session;

import gpuaas.base.Secrets;
import gpuaas.db.Database;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import gpuaas.session.PasswordTries.TryRules;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Optional;

/**
 * The one place where passwords are tried. After some wrong ones a name is refused for a while,
 * from everywhere, whether there is somebody of that name or not; and each try takes as long.
 */
public final class PasswordDoor {

  private final Database database;
  private final Identities identities;
  private final InstantSource clock;
  private final TryRules rules;

  public PasswordDoor(
      Database database, Identities identities, InstantSource clock, TryRules rules) {
    this.database = database;
    this.identities = identities;
    this.clock = clock;
    this.rules = rules;
  }

  /** What comes of a try. */
  public sealed interface Outcome {
    /** It is theirs. */
    record In(Person person) implements Outcome {}

    /** It is nobody's. */
    record Wrong() implements Outcome {}

    /** Not looked at: there were too many wrong ones for this name. */
    record Locked(Duration left) implements Outcome {}
  }

  /** Tries a password. */
  public Outcome check(String username, String password) throws InterruptedException {
    byte[] name = Secrets.hash(username);
    Instant now = clock.instant();
    // Counted before it is known to be right: many at once are not more than as many in turn.
    Optional<Duration> locked =
        database.tx(tx -> {
          PasswordTries tries = PasswordTriesStore.lock(tx, name, now);
          PasswordTriesStore.save(tx, name, tries.next(now, rules));
          return tries.left(now);
        });
    Optional<Person> person = identities.checkPassword(username, password);
    if (locked.isPresent()) {
      return new Outcome.Locked(locked.get());
    }
    if (person.isEmpty()) {
      return new Outcome.Wrong();
    }
    database.run(tx -> PasswordTriesStore.forget(tx, name));
    return new Outcome.In(person.get());
  }
}
