package gpuaas.base;

import org.jspecify.annotations.Nullable;

/** Something that is made after those who will call it. */
public final class Later<T> {

  private volatile @Nullable T value;

  /** It is made. */
  public void set(T made) {
    value = made;
  }

  /** What was made; throws when that is not yet so. */
  public T get() {
    T made = value;
    if (made == null) {
      throw new IllegalStateException("asked for before it was made");
    }
    return made;
  }
}
