package gpuaas.main;

import gpuaas.base.Caller;
import gpuaas.db.Database;
import gpuaas.main.DatabaseCommands.Mistake;
import gpuaas.queue.Quota;
import gpuaas.queue.Quotas;
import java.io.PrintStream;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Who may have how many GPUs, for whoever sits at the machine. */
final class QuotaCommands {

  static final String USAGE =
      "quotas list, quotas set --user USER | --project ID [--gpu MODEL] [--guaranteed GPUS] [--most"
          + " GPUS], or quotas remove --user USER | --project ID [--gpu MODEL]";

  private static final int GPUS_MOST = 1_000_000;

  private final Quotas quotas;
  private final PrintStream out;

  QuotaCommands(Database database, InstantSource clock, PrintStream out) {
    this.quotas = new Quotas(database, clock);
    this.out = out;
  }

  /**
   * Runs one command.
   *
   * @param person who was named; the caller's own id when nobody was
   */
  void run(List<String> words, Map<String, String> options, Caller caller, UUID person) {
    if (words.size() != 2) {
      throw new Mistake("say " + USAGE);
    }
    switch (words.get(1)) {
      case "list" -> quotas.list(caller).forEach(this::print);
      case "set" -> {
        quotas.set(caller, quota(options, person));
        quotas.list(caller).forEach(this::print);
      }
      case "remove" -> {
        boolean there = quotas.remove(caller, scope(options), owner(options, person), gpu(options));
        if (!there) {
          throw new Mistake("there is no such quota; quotas list shows them");
        }
        out.println("Removed.");
      }
      default -> throw new Mistake("say " + USAGE);
    }
  }

  private static Quota quota(Map<String, String> options, UUID person) {
    int guaranteed = number("--guaranteed", options.getOrDefault("guaranteed", "0"));
    Optional<Integer> most =
        Optional.ofNullable(options.get("most")).map(text -> number("--most", text));
    if (most.filter(limit -> limit < guaranteed).isPresent()) {
      throw new Mistake("--most must not be less than --guaranteed");
    }
    return new Quota(scope(options), owner(options, person), gpu(options), guaranteed, most);
  }

  private static Quota.Scope scope(Map<String, String> options) {
    if (options.containsKey("project") == options.containsKey("user")) {
      throw new Mistake("say whose: --user or --project");
    }
    return options.containsKey("project") ? Quota.Scope.PROJECT : Quota.Scope.PERSON;
  }

  private static UUID owner(Map<String, String> options, UUID person) {
    return Optional.ofNullable(options.get("project")).map(DatabaseCommands::id).orElse(person);
  }

  private static String gpu(Map<String, String> options) {
    return options.getOrDefault("gpu", "");
  }

  private static int number(String what, String text) {
    if (!text.matches("[0-9]{1,7}") || Integer.parseInt(text) > GPUS_MOST) {
      throw new Mistake(what + " must be a whole number of GPUs");
    }
    return Integer.parseInt(text);
  }

  private void print(Quota quota) {
    out.println(
        (quota.scope() == Quota.Scope.PERSON ? "person " : "project ")
            + quota.owner()
            + "  "
            + (quota.gpuModel().isEmpty() ? "all models" : quota.gpuModel())
            + ": "
            + quota.guaranteed()
            + " sure, "
            + quota.most().map(most -> "at most " + most).orElse("any number at most"));
  }
}
