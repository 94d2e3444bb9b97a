package gpuaas.base;

import java.util.List;
import java.util.Optional;

/**
 * A part of a list.
 *
 * @param next where the following page starts; empty on the last page
 */
public record Page<T>(List<T> items, Optional<String> next) {

  public Page {
    items = List.copyOf(items);
  }
}
