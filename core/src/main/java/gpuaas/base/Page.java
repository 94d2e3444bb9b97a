package gpuaas.base;

import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * A part of a list.
 *
 * @param next where the following page starts; empty on the last page
 */
public record Page<T>(List<T> items, Optional<String> next) {

  public Page {
    items = List.copyOf(items);
  }

  /**
   * A page of what was found when one more than fits was asked for.
   *
   * @param id by which the next page is asked for
   */
  public static <T> Page<T> of(List<T> found, int limit, Function<T, UUID> id) {
    boolean more = found.size() > limit;
    List<T> page = more ? found.subList(0, limit) : found;
    return new Page<>(
        page, more ? Optional.of(id.apply(page.getLast()).toString()) : Optional.empty());
  }
}
