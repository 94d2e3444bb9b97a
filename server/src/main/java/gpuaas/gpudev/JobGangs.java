package gpuaas.gpudev;

import gpuaas.base.Caller;
import gpuaas.catalog.Gang;
import gpuaas.db.Database;
import gpuaas.db.Tx;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.http.Halt;
import gpuaas.lease.Lease;
import gpuaas.queue.Gangs;
import gpuaas.queue.Gangs.Member;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Jobs of several nodes: one job for each, which the original's clients tell by their names alone
 * (contract 6.6), and ours by variables.
 */
final class JobGangs {

  static final String ID = "GANG_ID";
  static final String INDEX = "GANG_INDEX";
  static final String SIZE = "GANG_SIZE";

  /** The original's clients send all jobs of a gang within seconds. */
  private static final Duration BY_NAME_WITHIN = Duration.ofSeconds(60);

  /** A gang that is not complete ends by itself long before that. */
  private static final Duration BY_VARIABLES_WITHIN = Duration.ofDays(1);

  private static final Pattern NAME = Pattern.compile("(.{1,200}) - Node (\\d{1,4})/(\\d{1,4})");
  private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9][A-Za-z0-9 ._-]{0,127}");
  private static final Pattern NUMBER = Pattern.compile("\\d{1,4}");

  private final Database database;

  JobGangs(Database database) {
    this.database = database;
  }

  /** What a job says of its gang. */
  record Told(String label, int index, int size, Duration within) {}

  /** What a job says; refuses what makes no sense. */
  static Optional<Told> told(Map<String, String> variables, Optional<String> name) {
    boolean any = variables.containsKey(ID) || variables.containsKey(INDEX);
    if (!any && !variables.containsKey(SIZE)) {
      return name.flatMap(JobGangs::byName);
    }
    String label = variables.getOrDefault(ID, "").strip();
    if (!LABEL.matcher(label).matches()) {
      throw refused(ID + " must be 1 to 128 letters, digits, spaces or any of . _ -");
    }
    int index = number(variables, INDEX);
    int size = number(variables, SIZE);
    if (size < 1 || index >= size) {
      throw refused(INDEX + " must be from 0 to " + SIZE + " less one");
    }
    return Optional.of(new Told(label, index, size, BY_VARIABLES_WITHIN));
  }

  private static Optional<Told> byName(String name) {
    Matcher matcher = NAME.matcher(name);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int number = Integer.parseInt(matcher.group(2));
    int size = Integer.parseInt(matcher.group(3));
    return number >= 1 && number <= size && size > 1
        ? Optional.of(new Told(matcher.group(1), number - 1, size, BY_NAME_WITHIN))
        : Optional.empty();
  }

  private static int number(Map<String, String> variables, String name) {
    String text = variables.getOrDefault(name, "").strip();
    if (!NUMBER.matcher(text).matches()) {
      throw refused(name + " must be a whole number, beside " + ID);
    }
    return Integer.parseInt(text);
  }

  private static Halt refused(String why) {
    return new Halt(GpudevErrors.error(400, why));
  }

  /** The gang that it joins, with the job's lease. */
  static Gang join(Tx tx, Caller caller, UUID lease, Told told, Instant now) {
    return Gangs.join(
        tx, caller, lease, told.label(), told.index(), told.size(), now, told.within());
  }

  /** All members of the gangs of these leases. */
  List<Member> members(Collection<Lease> leases) {
    List<Gang> gangs = leases.stream().flatMap(lease -> lease.spec().gang().stream()).toList();
    return gangs.isEmpty()
        ? List.of()
        : database.read(tx -> Gangs.members(tx, leases.iterator().next().project(), gangs));
  }

  /** What a job that is part of a gang shows of it; nothing for others. */
  static void describe(Map<String, Object> body, Lease lease, List<Member> members) {
    if (lease.spec().gang().isEmpty()) {
      return;
    }
    Gang gang = lease.spec().gang().get();
    List<Member> mine = members.stream().filter(it -> it.gang().equals(gang.name())).toList();
    body.put("gang", Gangs.label(gang));
    body.put("node_index", gang.index());
    body.put("total_nodes", gang.size());
    mine.stream()
        .filter(member -> member.index() == 0)
        .findFirst()
        .ifPresent(master ->
            body.put(
                "master_reservation_id", master.shownId().orElseGet(() -> master.id().toString())));
    if (lease.state().end().filter(why -> why.text().equals("gang")).isPresent()) {
      body.put("failure_reason", failure(mine, gang));
    }
  }

  private static String failure(List<Member> members, Gang gang) {
    return members.stream()
        .filter(member -> member.end().filter(why -> !why.equals("gang")).isPresent())
        .findFirst()
        .map(member -> "node " + member.index() + " of its gang ended: " + member.end().orElse(""))
        .orElseGet(() ->
            "its gang was not complete in time: "
                + members.size()
                + " of "
                + gang.size()
                + " nodes were asked for");
  }
}
