package gpuaas.market;

import gpuaas.spi.HasUtilization.Utilization;
import gpuaas.spi.ProviderException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a rented machine uses of itself: a short script that runs in it, and what its words mean. A
 * container knows its own processor time, by either kind of control groups; a virtual machine knows
 * that of all its processors.
 */
final class MachineUse {

  /** For machines with GPUs, or those that should have some. */
  static final String SCRIPT =
      """
      cd /sys/fs/cgroup
      sed -n 's/^usage_usec /usec /p' cpu.stat
      for f in cpuacct/cpuacct.usage cpu,cpuacct/cpuacct.usage; do
        [ -r $f ] && echo nsec $(cat $f)
      done
      [ -r cpu.max ] && echo quota $(cat cpu.max)
      [ -r cpu/cpu.cfs_quota_us ] && echo quota $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us)
      tick=$(getconf CLK_TCK || echo 100)
      while read -r name user nice system idle wait hard soft rest; do
        [ "$name" = cpu ] && echo ticks $((user + nice + system + hard + soft)) $tick
        break
      done < /proc/stat
      echo cpus $(nproc)
      timeout 5 nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits |
        sed 's/^/gpu /'
      """;

  /**
   * For simulated machines, which share all that with others: only the processes that have its home
   * count, and not those of the script itself.
   */
  static final String SIMULATED =
      """
      used=0
      read -r line < /proc/$$/stat
      set -- ${line##*) }
      own=$4
      for f in $(grep -lzxF "HOME=$HOME" /proc/[0-9]*/environ); do
        { read -r line < ${f%/environ}/stat; } || continue
        set -- ${line##*) }
        [ "$4" = "$own" ] || used=$((used + ${12} + ${13} + ${14} + ${15}))
      done
      echo ticks $used $(getconf CLK_TCK || echo 100)
      echo cpus $(nproc)
      echo gpu 0
      """;

  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final int PERCENT_MOST = 100;
  private static final int CPUS_MOST = 100_000;

  private MachineUse() {}

  /**
   * Reads what the script said.
   *
   * @throws ProviderException.Unavailable when it said nothing that can be understood
   */
  static Utilization parse(String text) {
    Map<String, List<List<Long>>> said = new HashMap<>();
    text.lines()
        .limit(200)
        .forEach(line -> {
          String[] words = line.strip().split("\\s+", 6);
          said.computeIfAbsent(words[0], _ -> new ArrayList<>()).add(numbers(words));
        });
    long cpus = first(said, "cpus", 0).orElse(0L);
    if (cpus < 1 || cpus > CPUS_MOST) {
      throw new ProviderException.Unavailable("the machine does not say what it has", null);
    }
    return new Utilization(processorTime(said), milliCpus(said, cpus), busiestGpu(said));
  }

  private static List<Long> numbers(String[] words) {
    List<Long> numbers = new ArrayList<>();
    for (int index = 1; index < words.length; index++) {
      if (!words[index].matches("[0-9]{1,18}")) {
        break;
      }
      numbers.add(Long.valueOf(words[index]));
    }
    return numbers;
  }

  private static Optional<Long> first(
      Map<String, List<List<Long>>> said, String what, int position) {
    return said.getOrDefault(what, List.of()).stream()
        .filter(numbers -> numbers.size() > position)
        .map(numbers -> numbers.get(position))
        .findFirst();
  }

  private static Optional<Duration> processorTime(Map<String, List<List<Long>>> said) {
    return first(said, "usec", 0)
        .map(micros -> Duration.ofMillis(micros / 1000))
        .or(() -> first(said, "nsec", 0).map(Duration::ofNanos))
        .or(() ->
            first(said, "ticks", 1)
                .filter(perSecond -> perSecond > 0)
                .flatMap(perSecond ->
                    first(said, "ticks", 0)
                        .filter(ticks -> ticks < Long.MAX_VALUE / SECOND.toMillis())
                        .map(ticks -> Duration.ofMillis(ticks * SECOND.toMillis() / perSecond))));
  }

  private static int milliCpus(Map<String, List<List<Long>>> said, long cpus) {
    long most = cpus * 1000;
    Optional<Long> quota = first(said, "quota", 0).filter(micros -> micros < Integer.MAX_VALUE);
    Optional<Long> period = first(said, "quota", 1).filter(micros -> micros > 0);
    if (quota.isPresent() && period.isPresent()) {
      most = Math.clamp(quota.get() * 1000 / period.get(), 1, most);
    }
    return (int) most;
  }

  private static Optional<Integer> busiestGpu(Map<String, List<List<Long>>> said) {
    return said.getOrDefault("gpu", List.of()).stream()
        .filter(numbers -> !numbers.isEmpty())
        .map(numbers -> (int) Math.min(PERCENT_MOST, numbers.getFirst()))
        .max(Integer::compare);
  }
}
