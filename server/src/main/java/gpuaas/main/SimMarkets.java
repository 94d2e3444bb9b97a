package gpuaas.main;

import gpuaas.market.sim.SimRules;
import gpuaas.market.sim.SimServer;
import gpuaas.tensordock.TensordockApiSim;
import gpuaas.vastai.VastaiApiSim;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * Simulated markets: beside a server that rents from them, or by themselves. Whoever rents there
 * runs commands on this machine as the user that this runs as, so they are for loopback only.
 */
final class SimMarkets implements AutoCloseable {

  /** Rents from simulated markets too. */
  static final String OPTION = "--with-sim-markets";

  private static final String KEY = "simulated";
  private static final long SEED = 1;

  private final Map<String, SimServer> byType = new LinkedHashMap<>();

  /** Starts one of each, for a server that listens on loopback. */
  static SimMarkets start(Settings settings, InstantSource clock) {
    if (!settings.development()) {
      throw new Settings.Wrong(
          OPTION
              + " is for development on loopback only: who rents a simulated machine gets a shell"
              + " on this one");
    }
    SimMarkets markets = new SimMarkets();
    for (String type : List.of("vastai", "tensordock")) {
      Path folder = settings.data().resolve("sim").resolve(type);
      markets.byType.put(type, open(type, clock, folder, KEY, SEED).start(0));
    }
    return markets;
  }

  private static SimServer open(
      String type, InstantSource clock, Path folder, String key, long seed) {
    return switch (type) {
      case "vastai" -> VastaiApiSim.server(clock, SimRules.watchable(), folder, key, seed);
      case "tensordock" -> TensordockApiSim.server(clock, SimRules.watchable(), folder, key, seed);
      default -> throw new Settings.Wrong("say sim vastai or sim tensordock");
    };
  }

  /** The environment with these markets as providers, beside what the settings have already. */
  Map<String, String> added(Map<String, String> environment, Settings settings) {
    Map<String, String> all = new HashMap<>(environment);
    settings
        .providers()
        .forEach((name, provider) -> {
          // This machine is one without a word in any setting; it stays one beside others.
          String prefix = "provider." + name + ".";
          all.putIfAbsent(Settings.variable(prefix + "type"), provider.type());
          provider
              .values()
              .forEach(
                  (setting, value) -> all.putIfAbsent(Settings.variable(prefix + setting), value));
        });
    byType.forEach((type, server) -> {
      // By the names that they have in documents, unless a real account has them.
      String name = settings.providers().containsKey(type) ? "sim" + type : type;
      String prefix = "provider." + name + ".";
      all.put(Settings.variable(prefix + "type"), type);
      all.put(Settings.variable(prefix + "base-url"), server.url().toString());
      all.put(Settings.variable(prefix + "api-key"), KEY);
      all.put(Settings.variable(prefix + "calls-per-second"), "50");
      all.put(Settings.variable(prefix + "offers-every"), "5s");
      all.put(Settings.variable(prefix + "look-every"), "1s");
      all.put(Settings.variable(prefix + "simulated"), "true");
    });
    return all;
  }

  /** Where they are, and how to look into them. */
  void print(PrintStream out) {
    byType.forEach((type, server) ->
        out.println("  Simulated " + type + ": " + server.url() + ", books at " + books(server)));
  }

  private static String books(SimServer server) {
    return server.url().resolve("/sim/ledger").toString();
  }

  /** {@code sim TYPE [--port N] [--seed N] [--key KEY]}: runs one until it is stopped. */
  static void run(String[] arguments, InstantSource clock, PrintStream out)
      throws IOException, InterruptedException {
    if (arguments.length < 2) {
      throw new Settings.Wrong("say sim vastai or sim tensordock");
    }
    int port = 0;
    long seed = SEED;
    String key = KEY;
    Iterator<String> left = Arrays.asList(arguments).subList(2, arguments.length).iterator();
    while (left.hasNext()) {
      String option = left.next();
      String value = left.hasNext() ? left.next() : "";
      switch (option) {
        case "--port" -> port = (int) number(option, value, 65_535);
        case "--seed" -> seed = number(option, value, Integer.MAX_VALUE);
        case "--key" -> key = value;
        default -> throw new Settings.Wrong("sim knows --port, --seed and --key, not " + option);
      }
    }
    String type = arguments[1];
    Path folder = Files.createTempDirectory("gpuaas-sim-" + type);
    try (SimServer server = open(type, clock, folder, key, seed).start(port)) {
      out.println(
          "A simulated " + type + ". Its machines are shells on this machine, in " + folder);
      out.println("To rent from it, in gpuaas.properties:");
      out.println("  provider." + type + ".base-url=" + server.url());
      out.println("  provider." + type + ".api-key=" + key);
      out.println("  provider." + type + ".simulated=true");
      out.println("Its books: curl " + books(server));
      out.println(
          "A fault: curl -X POST '"
              + server.url().resolve("/sim/faults")
              + "?kind=lose-reply&operation=create'");
      out.flush();
      new CountDownLatch(1).await();
    }
  }

  private static long number(String option, String value, long most) {
    if (!value.matches("[0-9]{1,10}") || Long.parseLong(value) > most) {
      throw new Settings.Wrong(option + " needs a number up to " + most);
    }
    return Long.parseLong(value);
  }

  @Override
  public void close() {
    byType.values().forEach(SimServer::close);
  }
}
