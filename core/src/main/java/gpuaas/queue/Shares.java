package gpuaas.queue;

import gpuaas.capacity.Reclaim;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Who holds how much of what is his. Whoever has no quota may have any number of GPUs, and none of
 * them is sure as soon as some are sure to anybody. Not for several threads.
 */
final class Shares {

  private final List<Quota> quotas;
  private final Map<Quota, Integer> used = new HashMap<>();
  private final boolean guarantees;

  /** So many GPUs of a model that somebody holds. */
  record Use(UUID person, UUID project, String gpuModel, int gpus) {}

  /** A lease that could make room. */
  record Candidate(Reclaim.Holder holder, Use use) {}

  Shares(List<Quota> quotas, List<Use> uses) {
    this.quotas = List.copyOf(quotas);
    this.guarantees = quotas.stream().anyMatch(quota -> quota.guaranteed() > 0);
    uses.forEach(use -> add(use, use.gpus()));
  }

  /** Nobody has a quota. */
  static Shares none() {
    return new Shares(List.of(), List.of());
  }

  /** True when GPUs are sure to anybody. */
  boolean hasGuarantees() {
    return guarantees;
  }

  private List<Quota> of(UUID person, UUID project, String model) {
    return quotas.isEmpty()
        ? List.of()
        : quotas.stream().filter(quota -> quota.counts(person, project, model)).toList();
  }

  private List<Quota> of(Waiter waiter) {
    return of(waiter.person(), waiter.project(), waiter.want().gpuModel());
  }

  private int used(Quota quota) {
    return used.getOrDefault(quota, 0);
  }

  private void add(Use use, int gpus) {
    of(use.person(), use.project(), use.gpuModel())
        .forEach(quota -> used.merge(quota, gpus, Integer::sum));
  }

  void took(Waiter waiter) {
    of(waiter).forEach(quota -> used.merge(quota, waiter.want().gpuCount(), Integer::sum));
  }

  /** In words, what keeps them from having what they want; empty: nothing does. */
  Optional<String> forbids(List<Waiter> members) {
    int gpus = gpus(members);
    return of(members.getFirst()).stream()
        .filter(quota -> quota.most().filter(most -> used(quota) + gpus > most).isPresent())
        .findFirst()
        .map(quota ->
            "The quota of its "
                + (quota.scope() == Quota.Scope.PERSON ? "owner" : "project")
                + " is "
                + quota.most().orElse(0)
                + (quota.gpuModel().isEmpty() ? "" : " " + quota.gpuModel())
                + " GPUs, of which "
                + used(quota)
                + " are in use; it needs "
                + gpus
                + ".");
  }

  /** True when what they want is sure to them, or nothing is to anybody. */
  boolean isSure(List<Waiter> members) {
    if (!guarantees) {
      return true;
    }
    int gpus = gpus(members);
    return of(members.getFirst()).stream()
        .anyMatch(quota -> used(quota) + gpus <= quota.guaranteed());
  }

  private static int gpus(List<Waiter> members) {
    return members.stream().mapToInt(member -> member.want().gpuCount()).sum();
  }

  /**
   * Who makes room for what is sure to others, in this order: always the newest of him who holds
   * most above what is sure to him, as long as he keeps that.
   *
   * @param newestFirst all that could
   */
  static List<Reclaim.Holder> overShare(List<Quota> quotas, List<Candidate> newestFirst) {
    Map<Object, Integer> above = new HashMap<>();
    Map<Object, List<Candidate>> byOwner = new HashMap<>();
    for (Candidate candidate : newestFirst) {
      Object owner = owner(quotas, candidate.use());
      int sure = owner instanceof Quota quota ? quota.guaranteed() : 0;
      above.merge(owner, candidate.use().gpus(), Integer::sum);
      List<Candidate> his = byOwner.computeIfAbsent(owner, _ -> new ArrayList<>());
      if (his.isEmpty()) {
        above.merge(owner, -sure, Integer::sum);
      }
      his.add(candidate);
    }
    List<Reclaim.Holder> order = new ArrayList<>();
    while (!byOwner.isEmpty()) {
      Object furthest =
          byOwner.keySet().stream()
              .max(
                  java.util.Comparator.comparingInt((Object owner) -> above.getOrDefault(owner, 0))
                      .thenComparing(Object::toString))
              .orElseThrow();
      List<Candidate> his = byOwner.getOrDefault(furthest, List.of());
      Optional<Candidate> next =
          his.stream()
              .filter(one -> one.use().gpus() <= above.getOrDefault(furthest, 0))
              .findFirst();
      if (next.isEmpty()) {
        byOwner.remove(furthest);
        continue;
      }
      his.remove(next.get());
      above.merge(furthest, -next.get().use().gpus(), Integer::sum);
      order.add(next.get().holder());
    }
    return order;
  }

  /** The quota that counts most of what he holds, or himself. */
  private static Object owner(List<Quota> quotas, Use use) {
    return quotas.stream()
        .filter(quota -> quota.counts(use.person(), use.project(), use.gpuModel()))
        .max(java.util.Comparator.comparingInt(Quota::guaranteed))
        .<Object>map(quota -> quota)
        .orElse(use.person());
  }
}
