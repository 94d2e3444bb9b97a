package gpuaas.main;

import org.jspecify.annotations.Nullable;

/** Something that is made after those who will call it. */
final class Later<T> {

  private volatile @Nullable T value;

  void set(T made) {
    value = made;
  }

  T get() {
    T made = value;
    if (made == null) {
      throw new IllegalStateException("asked for before it was made");
    }
    return made;
  }
}
