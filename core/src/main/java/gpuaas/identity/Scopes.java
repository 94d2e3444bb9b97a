package gpuaas.identity;

import gpuaas.base.Action;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What an API key allows, in the words of the GPU.ai documentation: {@code full_access}, {@code
 * read_only}, or {@code family:level} with the families {@code instances}, {@code ssh_keys}, {@code
 * billing} and {@code webhooks} and the levels {@code none}, {@code read} and {@code write}. Write
 * implies read. No key makes or ends keys: who steals one shall not make more of them.
 */
public record Scopes(List<String> words) {

  /** What scopes look like, in words for whoever got them wrong. */
  public static final String FORM =
      "must be full_access, read_only, or instances, ssh_keys, billing or webhooks with :none,"
          + " :read or :write";

  /** Everything that a key can allow. */
  public static final Scopes FULL_ACCESS = new Scopes(List.of("full_access"));

  private static final Map<String, Set<Action>> READS =
      Map.of(
          "instances", EnumSet.of(Action.LEASE_READ, Action.EVENT_READ, Action.DISK_READ),
          "ssh_keys", EnumSet.of(Action.SSH_KEY_READ),
          "billing", EnumSet.of(Action.BILLING_READ),
          "webhooks", EnumSet.of(Action.WEBHOOK_READ));
  private static final Map<String, Set<Action>> WRITES =
      Map.of(
          "instances",
          EnumSet.of(
              Action.LEASE_CREATE,
              Action.LEASE_UPDATE,
              Action.LEASE_STOP,
              Action.TERMINAL_OPEN,
              Action.DISK_WRITE),
          "ssh_keys",
          EnumSet.of(Action.SSH_KEY_WRITE),
          "billing",
          EnumSet.of(Action.BILLING_WRITE),
          "webhooks",
          EnumSet.of(Action.WEBHOOK_WRITE));

  public Scopes {
    words = List.copyOf(words);
  }

  /** Scopes from their words; empty when one of them is unknown, or there is none. */
  public static Optional<Scopes> parse(List<String> words) {
    List<String> known = new ArrayList<>();
    for (String word : words) {
      String lower = word.strip().toLowerCase(Locale.ROOT);
      if (!isKnown(lower)) {
        return Optional.empty();
      }
      if (!known.contains(lower)) {
        known.add(lower);
      }
    }
    return known.isEmpty() ? Optional.empty() : Optional.of(new Scopes(known));
  }

  private static boolean isKnown(String word) {
    String[] parts = word.split(":", -1);
    return word.equals("full_access")
        || word.equals("read_only")
        || (parts.length == 2
            && READS.containsKey(parts[0])
            && Set.of("none", "read", "write").contains(parts[1]));
  }

  /** What they allow. The catalogue is for everybody. */
  public Set<Action> actions() {
    Set<Action> actions = EnumSet.of(Action.SELF_READ, Action.CATALOG_READ);
    for (String word : words) {
      switch (word) {
        case "full_access" -> {
          READS.values().forEach(actions::addAll);
          WRITES.values().forEach(actions::addAll);
          actions.add(Action.API_KEY_READ);
        }
        case "read_only" -> READS.values().forEach(actions::addAll);
        default -> actions.addAll(ofFamily(word));
      }
    }
    return actions;
  }

  private static Set<Action> ofFamily(String word) {
    String[] parts = word.split(":", 2);
    Set<Action> actions = EnumSet.noneOf(Action.class);
    if (!parts[1].equals("none")) {
      actions.addAll(READS.getOrDefault(parts[0], Set.of()));
    }
    if (parts[1].equals("write")) {
      actions.addAll(WRITES.getOrDefault(parts[0], Set.of()));
    }
    return actions;
  }
}
