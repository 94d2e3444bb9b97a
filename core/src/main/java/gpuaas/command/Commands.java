package gpuaas.command;

import gpuaas.command.CommandLook.Question;
import gpuaas.command.CommandLook.Seen;
import gpuaas.command.CommandLook.State;
import gpuaas.db.Database;
import gpuaas.provider.Providers;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceRef;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The commands of leases: how far they are, and what they wrote. */
public final class Commands {

  private static final Logger log = LoggerFactory.getLogger(Commands.class);
  private static final int PARTS_MOST = 64;

  private final Database database;
  private final Providers providers;
  private final InstantSource clock;
  private final CommandRules rules;

  public Commands(Database database, Providers providers, InstantSource clock, CommandRules rules) {
    this.database = database;
    this.providers = providers;
    this.clock = clock;
    this.rules = rules;
  }

  /** The command of a lease, once it was begun. */
  public Optional<Command> find(UUID lease) {
    return database.read(tx -> CommandStore.find(tx, lease));
  }

  /** The commands of these leases, as far as they were begun. */
  public List<Command> of(List<UUID> leases) {
    return leases.isEmpty() ? List.of() : database.read(tx -> CommandStore.of(tx, leases));
  }

  /** What it wrote from this position on, as far as it is kept, but not more than this. */
  public Command.Output output(UUID lease, long from, int bytesMost) {
    List<Command.Output> parts =
        database.read(tx -> CommandStore.parts(tx, lease, from, PARTS_MOST));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (Command.Output part : parts) {
      int skipped = (int) Math.max(0, from - part.position());
      int room = bytesMost - bytes.size();
      bytes.write(part.bytes(), skipped, Math.min(room, part.bytes().length - skipped));
    }
    return new Command.Output(from, bytes.toByteArray());
  }

  /** True when it wrote as much as is kept; what came after that is not. */
  public boolean isFull(Command command) {
    return command.outputBytes() >= rules.outputBytesMost();
  }

  CommandRules rules() {
    return rules;
  }

  Instant now() {
    return clock.instant();
  }

  Command begin(UUID lease) {
    return database.tx(tx -> {
      CommandStore.begun(tx, lease, clock.instant());
      return CommandStore.find(tx, lease).orElseThrow();
    });
  }

  /**
   * Looks once, and writes down what was seen.
   *
   * @param anew true: it was said to be starting for too long
   */
  Seen look(Command command, InstanceRef instance, String text, boolean anew)
      throws IOException, InterruptedException {
    return look(command, instance, text, anew, rules.callLimit());
  }

  private Seen look(
      Command command, InstanceRef instance, String text, boolean anew, Duration limit)
      throws IOException, InterruptedException {
    HasExec exec =
        providers
            .ability(instance, HasExec.class)
            .orElseThrow(() -> new IOException("its machine runs nothing for others"));
    UUID lease = command.lease();
    Question question = new Question(lease, text, command.outputBytes(), anew);
    Seen seen = CommandLook.at(exec, instance, question, rules, limit);
    database.run(tx -> {
      if (seen.part().length > 0) {
        var _ = CommandStore.add(tx, lease, new Command.Output(command.outputBytes(), seen.part()));
      }
      if (!command.problem().isEmpty()) {
        CommandStore.problem(tx, lease, "");
      }
      if (seen.state() instanceof State.Over over && !seen.more()) {
        var _ = CommandStore.exited(tx, lease, new Command.Exit(over.code(), clock.instant()));
      }
    });
    return seen;
  }

  void failed(Command command, IOException why) {
    log.debug("the command of {} could not be looked at", command.lease(), why);
    String problem = "its environment did not answer: " + why.getMessage();
    if (!problem.equals(command.problem())) {
      database.run(tx -> CommandStore.problem(tx, command.lease(), problem));
    }
  }

  /**
   * Before its environment ends: what it wrote last. Takes no longer than the limit, counted from
   * when the end began, and once that for a look.
   */
  public void drain(UUID lease, InstanceRef instance, Instant endingSince) {
    Instant until = endingSince.plus(rules.drainLimit());
    Optional<Command> command = find(lease).filter(one -> one.exit().isEmpty());
    try {
      while (command.isPresent() && clock.instant().isBefore(until)) {
        // Nothing is begun that late: an empty command is all that would be.
        Seen seen = look(command.get(), instance, ":", false, rules.drainLimit());
        command = seen.more() ? find(lease) : Optional.empty();
      }
    } catch (IOException e) {
      log.debug("the last output of {} is lost", lease, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Forgets what is too old. */
  public void tidy() {
    Instant before = clock.instant().minus(rules.keptFor());
    while (database.tx(tx -> CommandStore.forget(tx, before)) > 0) {}
  }
}
