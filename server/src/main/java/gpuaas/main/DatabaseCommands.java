package gpuaas.main;

import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Page;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import gpuaas.db.EmbeddedPostgres;
import gpuaas.identity.ApiKey;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import gpuaas.identity.Scopes;
import gpuaas.session.Sessions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Commands that work on the database itself, whether the server is up or not: the first password,
 * API keys, funds and budgets.
 */
final class DatabaseCommands {

  private static final String USAGE =
      "say keys create NAME [--user USER] [--scopes SCOPE,…] [--expires 90d], keys list [--user"
          + " USER], keys rotate ID, keys revoke ID, "
          + MoneyCommands.USAGE
          + ", "
          + QuotaCommands.USAGE;
  private static final int LISTED_MOST = 1000;
  private static final Set<String> OPTIONS =
      Set.of(
          "--user",
          "--scopes",
          "--expires",
          "--reason",
          "--key",
          "--money",
          "--gpu-hours",
          "--period",
          "--project",
          "--gpu",
          "--guaranteed",
          "--most");

  private final Settings settings;
  private final Database database;
  private final SecretBox secrets;
  private final InstantSource clock;
  private final PrintStream out;
  private final Ids ids;
  private final Identities identities;
  private final ApiKeys apiKeys;

  private DatabaseCommands(
      Settings settings, Database database, InstantSource clock, PrintStream out)
      throws IOException {
    this.settings = settings;
    this.database = database;
    this.secrets = SecretBox.open(settings.data().resolve("secret.key"));
    this.clock = clock;
    this.out = out;
    this.ids = Ids.timeOrdered(clock);
    this.identities = new Identities(database, ids, clock);
    this.apiKeys = new ApiKeys(database, ids, clock, settings.apiKeys(), _ -> {});
  }

  /** A command that cannot be done as it was typed; the message is for the person who typed it. */
  static final class Mistake extends RuntimeException {
    private static final long serialVersionUID = 1;

    Mistake(String message) {
      super(message);
    }
  }

  /** Runs one command. A PostgreSQL that was started for it is stopped again. */
  static void run(String[] arguments, Settings settings, InstantSource clock) throws IOException {
    Files.createDirectories(settings.data());
    new SystemUser(settings.databaseSystemUser(), System.err::println).ensure();
    Optional<EmbeddedPostgres> embedded = Main.embedded(settings);
    try (Database database = Database.open(Main.databaseSettings(settings, embedded))) {
      new DatabaseCommands(settings, database, clock, System.out).run(arguments);
    } catch (Refused e) {
      throw new Mistake(sentence(e.refusal()));
    } finally {
      embedded.filter(EmbeddedPostgres::launchedHere).ifPresent(EmbeddedPostgres::close);
    }
  }

  private void run(String[] arguments) {
    Sessions sessions =
        new Sessions(
            database,
            identities,
            ids,
            clock,
            settings.people().logIn().sessions(),
            Duration.ZERO,
            _ -> {});
    People.ensure(settings, identities, sessions, secrets, database);
    List<String> words = new ArrayList<>();
    Map<String, String> options = new HashMap<>();
    split(arguments, words, options);
    switch (String.join(" ", words.subList(0, Math.min(2, words.size())))) {
      case "admin-password" -> out.println(People.adminPassword(secrets, database));
      case "keys create" -> create(one(words), options);
      case "keys list" -> list(options);
      case "keys rotate" -> {
        UUID id = id(one(words));
        shown(database.tx(tx -> apiKeys.rotate(tx, owner(id), id)));
      }
      case "keys revoke" -> {
        UUID id = id(one(words));
        database.run(tx -> apiKeys.revoke(tx, owner(id), id));
        out.println("Revoked " + id + ".");
      }
      case "credits show", "credits add", "budgets set", "budgets list", "budgets delete" ->
          new MoneyCommands(database, ids, clock, apiKeys, settings, out)
              .run(words, options, person(options));
      case "quotas list", "quotas set", "quotas remove" ->
          new QuotaCommands(database, clock, out)
              .run(
                  words,
                  options,
                  MoneyCommands.administrating(person(Map.of())),
                  person(options).id());
      default -> throw new Mistake(USAGE);
    }
  }

  private static void split(String[] arguments, List<String> words, Map<String, String> options) {
    for (int i = 0; i < arguments.length; i++) {
      if (!arguments[i].startsWith("--")) {
        words.add(arguments[i]);
      } else if (OPTIONS.contains(arguments[i]) && i + 1 < arguments.length) {
        options.put(arguments[i].substring(2), arguments[++i]);
      } else {
        throw new Mistake(USAGE);
      }
    }
  }

  static String one(List<String> words) {
    if (words.size() != 3) {
      throw new Mistake(USAGE);
    }
    return words.get(2);
  }

  static UUID id(String text) {
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException e) {
      throw new Mistake(text + " is not an id; the lists show them");
    }
  }

  private void create(String name, Map<String, String> options) {
    Scopes scopes =
        Scopes.parse(List.of(options.getOrDefault("scopes", "full_access").split(",")))
            .orElseThrow(() ->
                new Mistake(
                    "scopes are full_access, read_only, or instances, ssh_keys, billing or webhooks"
                        + " with :none, :read or :write"));
    Optional<Instant> expiresAt =
        Optional.ofNullable(options.get("expires"))
            .map(text -> clock.instant().plus(SettingsReader.duration("--expires", text)));
    Caller caller = person(options).caller("keys create");
    shown(database.tx(tx -> apiKeys.create(tx, caller, name, scopes, expiresAt)));
  }

  private void shown(ApiKeys.Issued issued) {
    // The key alone on standard output, so that a script can take it.
    System.err.println(
        "Key "
            + issued.key().id()
            + " ("
            + String.join(", ", issued.key().scopes().words())
            + "). It is shown only now:");
    out.println(issued.secret());
  }

  private void list(Map<String, String> options) {
    Page<ApiKey> keys =
        apiKeys.list(person(options).caller("keys list"), Optional.empty(), LISTED_MOST);
    for (ApiKey key : keys.items()) {
      out.println(
          key.id()
              + "  "
              + key.prefix()
              + "…  "
              + (key.isValid(clock.instant()) ? "valid" : "ended")
              + "  "
              + String.join(",", key.scopes().words())
              + "  used "
              + key.lastUsedAt().map(Instant::toString).orElse("never")
              + "  "
              + key.name());
    }
  }

  private Person person(Map<String, String> options) {
    String name = options.getOrDefault("user", settings.development() ? "dev-user" : "admin");
    return identities
        .findByName(name)
        .orElseThrow(() -> new Mistake("there is nobody called " + name));
  }

  /** Whoever sits at this machine may do what the key's owner may. */
  private Caller owner(UUID key) {
    return apiKeys.owner(key, "keys").orElseThrow(() -> new Mistake("there is no key " + key));
  }

  private static String sentence(Refusal refusal) {
    return switch (refusal) {
      case Refusal.Invalid invalid ->
          invalid.fields().getFirst().field() + " " + invalid.fields().getFirst().problem();
      case Refusal.WrongState state -> "the key is " + state.state();
      case Refusal.NotFound missing -> "there is no " + missing.id();
      case Refusal.TooMany many -> "there are " + many.limit() + " keys already; revoke some";
      default -> refusal.toString();
    };
  }
}
