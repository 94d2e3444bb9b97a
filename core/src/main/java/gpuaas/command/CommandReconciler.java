package gpuaas.command;

import gpuaas.command.CommandLook.Seen;
import gpuaas.command.CommandLook.State;
import gpuaas.spi.InstanceRef;
import gpuaas.work.Next;
import gpuaas.work.Reconciler;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * Begins the command of a lease that runs, and fetches what it writes until it ends. The same after
 * a restart: what is fetched next is what the database does not have.
 */
public final class CommandReconciler implements Reconciler {

  /** The kind of work; due when a lease with a command begins to run. */
  public static final String KIND = "command";

  private static final Duration STARTING_MOST = Duration.ofSeconds(15);
  private static final int PAUSE_OF_AGE = 20;

  private final Commands commands;
  private final Leased leased;

  /** The leases, as seen from here. */
  public interface Leased {
    /** Where and what; empty: it does not run, or has no command. */
    Optional<Target> target(UUID lease);

    /** Its command has ended. May be said more than once; false: say it again. */
    boolean ended(UUID lease, Command.Exit exit);
  }

  /**
   * A command in an environment that runs.
   *
   * @param since when the environment began to run
   */
  public record Target(InstanceRef instance, String command, Instant since) {}

  public CommandReconciler(Commands commands, Leased leased) {
    this.commands = commands;
    this.leased = leased;
  }

  @Override
  public String kind() {
    return KIND;
  }

  @Override
  public Next step(UUID lease) throws InterruptedException {
    Optional<Target> target = leased.target(lease);
    if (target.isEmpty()) {
      return Next.done();
    }
    Command command = commands.begin(lease);
    if (command.exit().isPresent()) {
      boolean heard = leased.ended(lease, command.exit().get());
      return heard ? Next.done() : Next.after(commands.rules().lookEvery());
    }
    Seen seen;
    try {
      seen = commands.look(command, target.get().instance(), target.get().command(), late(command));
    } catch (IOException e) {
      commands.failed(command, e);
      return Next.after(commands.rules().lookLeast());
    }
    boolean again = seen.more() || seen.state() instanceof State.Over;
    return again ? Next.now() : Next.after(pause(command, seen));
  }

  /** True when whoever began to begin it must have been interrupted. */
  private boolean late(Command command) {
    Duration age = Duration.between(command.startedAt(), commands.now());
    return command.outputBytes() == 0 && age.compareTo(STARTING_MOST) > 0;
  }

  /** The longer it goes on, the longer the pause; unless it writes. */
  private Duration pause(Command command, Seen seen) {
    CommandRules rules = commands.rules();
    Duration age = Duration.between(command.startedAt(), commands.now()).dividedBy(PAUSE_OF_AGE);
    if (seen.part().length > 0 || age.compareTo(rules.lookEvery()) < 0) {
      return rules.lookEvery();
    }
    return age.compareTo(rules.lookLeast()) < 0 ? age : rules.lookLeast();
  }
}
