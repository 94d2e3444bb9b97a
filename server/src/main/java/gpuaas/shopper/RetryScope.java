package gpuaas.shopper;

import gpuaas.capacity.Catalog.Listed;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntUnaryOperator;

/** Which other offers may take the place of one that failed, and which of them does. */
enum RetryScope {
  /** The same model at the same provider. */
  SAME_GPU(120),
  /** Any model with as much memory at the same provider. */
  SAME_VRAM(150),
  /** Any model with as much memory. */
  ANY(200);

  private static final int BEST = 5;
  private static final int DRAWN_FROM = 3;
  private static final int DRAWN_PRICE_PERCENT = 130;

  private final int pricePercentMost;

  RetryScope(int pricePercentMost) {
    this.pricePercentMost = pricePercentMost;
  }

  /** The scope of this word; no word is the narrowest. */
  static Optional<RetryScope> of(String word) {
    return word.isEmpty()
        ? Optional.of(SAME_GPU)
        : Arrays.stream(values()).filter(scope -> scope.text().equals(word)).findFirst();
  }

  /** The word outside: {@code same_gpu}. */
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The best offers that may take the place of this one, best first. */
  List<Listed> candidates(Listed failed, List<Listed> offers, Set<String> failedIds) {
    Set<String> machines =
        offers.stream()
            .filter(offer -> failedIds.contains(offer.id()) || offer.id().equals(failed.id()))
            .map(offer -> offer.offer().facts().machine())
            .filter(machine -> !machine.isEmpty())
            .collect(java.util.stream.Collectors.toSet());
    return offers.stream()
        .filter(offer -> !offer.id().equals(failed.id()) && !failedIds.contains(offer.id()))
        .filter(offer -> !machines.contains(offer.offer().facts().machine()))
        .filter(offer -> offer.gpuCount() == failed.gpuCount() && suits(failed, offer))
        .limit(BEST)
        .toList();
  }

  private boolean suits(Listed failed, Listed other) {
    boolean cheap =
        other.pricePerHourMicros() * 100 <= failed.pricePerHourMicros() * pricePercentMost;
    boolean sameProvider = other.offer().provider().equals(failed.offer().provider());
    boolean enough = other.memoryGbPerGpu() >= failed.memoryGbPerGpu();
    return cheap
        && switch (this) {
          case SAME_GPU ->
              sameProvider && other.offer().gpu().model().equals(failed.offer().gpu().model());
          case SAME_VRAM -> sameProvider && enough;
          case ANY -> enough;
        };
  }

  /**
   * One of the first few that do not cost much more than the first, so that not everybody who lost
   * an offer comes for the same next one.
   *
   * @param draw a number from 0 to below the given one
   */
  static Optional<Listed> draw(List<Listed> candidates, IntUnaryOperator draw) {
    if (candidates.isEmpty()) {
      return Optional.empty();
    }
    long most = candidates.getFirst().pricePerHourMicros() * DRAWN_PRICE_PERCENT / 100;
    List<Listed> near =
        candidates.stream()
            .limit(DRAWN_FROM)
            .filter(offer -> offer.pricePerHourMicros() <= most)
            .toList();
    return Optional.of(near.get(draw.applyAsInt(near.size())));
  }
}
