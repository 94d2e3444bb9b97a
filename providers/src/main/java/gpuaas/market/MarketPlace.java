package gpuaas.market;

import java.util.List;
import java.util.stream.Collectors;

/** Where a market says that something is. */
public final class MarketPlace {

  private static final int PART_MOST = 60;

  private MarketPlace() {}

  /** The parts that say something, each once: {@code , US} is {@code US}. */
  public static String clean(List<String> parts) {
    return parts.stream()
        .map(part -> part.replaceAll("[\\p{Cntrl}\\s]+", " ").strip())
        .filter(part -> !part.isEmpty())
        .map(part -> part.length() <= PART_MOST ? part : part.substring(0, PART_MOST))
        .distinct()
        .collect(Collectors.joining(", "));
  }
}
