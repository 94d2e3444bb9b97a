package gpuaas.main;

import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Page;
import gpuaas.base.Standing;
import gpuaas.db.Database;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.Person;
import gpuaas.ledger.Budget;
import gpuaas.ledger.Budgets;
import gpuaas.ledger.Ledger;
import gpuaas.main.DatabaseCommands.Mistake;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Funds and budgets, for whoever sits at the machine: they may do what an administrator may. */
final class MoneyCommands {

  static final String USAGE =
      "credits show [--user USER], credits add AMOUNT [--user USER] [--reason TEXT], budgets list"
          + " [--user USER], budgets set [--user USER | --key ID] [--money AMOUNT] [--gpu-hours"
          + " HOURS] [--period total|month] or budgets delete ID [--user USER]";

  private static final int PAGE = 200;
  private static final long SECONDS_PER_HOUR = 3600;

  private final Database database;
  private final Ids ids;
  private final ApiKeys apiKeys;
  private final Ledger ledger;
  private final Budgets budgets;
  private final PrintStream out;

  MoneyCommands(
      Database database,
      Ids ids,
      InstantSource clock,
      ApiKeys apiKeys,
      Settings settings,
      PrintStream out) {
    this.database = database;
    this.ids = ids;
    this.apiKeys = apiKeys;
    this.ledger = new Ledger(database, clock, settings.ledger());
    this.budgets = new Budgets(database, ids, clock, settings.ledger());
    this.out = out;
  }

  /** Runs one command for somebody's tenant. */
  void run(List<String> words, Map<String, String> options, Person person) {
    Caller caller = administrating(person);
    switch (String.join(" ", words.subList(0, Math.min(2, words.size())))) {
      case "credits show" -> show(caller);
      case "credits add" -> {
        long micros = micros(DatabaseCommands.one(words));
        String reason = options.getOrDefault("reason", "credits add");
        database.run(tx -> ledger.credit(tx, caller, ids.next(), caller.tenant(), micros, reason));
        show(caller);
      }
      case "budgets set" -> set(caller, options);
      case "budgets list" -> list(caller);
      case "budgets delete" -> {
        UUID id = DatabaseCommands.id(DatabaseCommands.one(words));
        if (!database.tx(tx -> budgets.delete(tx, caller, id))) {
          throw new Mistake("there is no budget " + id + "; budgets list shows them");
        }
        out.println("Deleted " + id + ".");
      }
      default -> throw new Mistake("say " + USAGE);
    }
  }

  /** Whoever sits at the machine, in the name of a person. */
  static Caller administrating(Person person) {
    return new Caller(
        person.id(),
        person.username(),
        person.tenant(),
        person.defaultProject(),
        Standing.PLATFORM_ADMIN,
        Optional.empty(),
        "command");
  }

  private void show(Caller caller) {
    Ledger.Balance balance = ledger.balance(caller);
    out.println(
        caller.name()
            + ": "
            + text(balance.fundsMicros())
            + " "
            + balance.currency()
            + " to spend, "
            + text(balance.heldMicros())
            + " set aside for leases, "
            + text(balance.spentMicros())
            + " spent");
  }

  private void set(Caller caller, Map<String, String> options) {
    Optional<UUID> key = Optional.ofNullable(options.get("key")).map(DatabaseCommands::id);
    key.filter(id -> !apiKeys.get(caller, id).tenant().equals(caller.tenant()))
        .ifPresent(id -> {
          throw new Mistake(
              "the key " + id + " is not of " + caller.name() + "; say whose, --user");
        });
    Optional<Long> money = Optional.ofNullable(options.get("money")).map(MoneyCommands::micros);
    Optional<Long> gpuSeconds =
        Optional.ofNullable(options.get("gpu-hours"))
            .map(text -> number("--gpu-hours", text).multiply(BigDecimal.valueOf(SECONDS_PER_HOUR)))
            .map(BigDecimal::longValue);
    database.run(tx ->
        budgets.set(
            tx,
            caller,
            key.isPresent() ? Budget.Scope.API_KEY : Budget.Scope.PROJECT,
            key.orElse(caller.project()),
            period(options.getOrDefault("period", "total")),
            money,
            gpuSeconds));
    list(caller);
  }

  private static Budget.Period period(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "total" -> Budget.Period.TOTAL;
      case "month" -> Budget.Period.MONTH;
      default -> throw new Mistake("--period is total or month");
    };
  }

  private void list(Caller caller) {
    Optional<UUID> after = Optional.empty();
    do {
      Page<Budgets.Standing> page = budgets.list(caller, after, PAGE);
      page.items().forEach(this::print);
      after = page.next().map(UUID::fromString);
    } while (after.isPresent());
  }

  private void print(Budgets.Standing standing) {
    Budget budget = standing.budget();
    out.println(
        budget.id()
            + "  "
            + budget.title()
            + (budget.scope() == Budget.Scope.API_KEY ? " " + budget.owner() : "")
            + ": spent "
            + text(standing.spentMicros())
            + " of "
            + budget.mostMicros().map(MoneyCommands::text).orElse("any amount")
            + ", used "
            + standing.usedGpuSeconds() / SECONDS_PER_HOUR
            + " GPU-hours of "
            + budget
                .mostGpuSeconds()
                .map(most -> Long.toString(most / SECONDS_PER_HOUR))
                .orElse("any number"));
  }

  private static long micros(String text) {
    try {
      return number("the amount", text).movePointRight(6).longValueExact();
    } catch (ArithmeticException e) {
      throw new Mistake("the amount must have at most six digits after the point");
    }
  }

  private static BigDecimal number(String what, String text) {
    try {
      BigDecimal number = new BigDecimal(text);
      if (number.signum() > 0 && number.precision() < 18 && Math.abs(number.scale()) < 18) {
        return number;
      }
    } catch (NumberFormatException e) {
      // refused below
    }
    throw new Mistake(what + " must be a number above 0, such as 25.50");
  }

  private static String text(long micros) {
    return BigDecimal.valueOf(micros, 6)
        .setScale(2, java.math.RoundingMode.HALF_UP)
        .toPlainString();
  }
}
