package gpuaas.local.disk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/** Folders that can be copied and measured as a whole, and perhaps be held to a size. */
interface Volumes {

  /** The name of a volume in the folder of its disk or snapshot. */
  String NAME = "data";

  /**
   * What a volume takes up.
   *
   * @param exclusiveBytes what no other volume shares with it; empty: not known
   */
  record Usage(long bytes, OptionalLong exclusiveBytes) {}

  /** Makes an empty one. */
  void make(Path volume) throws IOException;

  /** Makes one with everything that is in another at this moment; for keeping, or to go on with. */
  void copy(Path from, Path to, boolean forKeeping) throws IOException;

  /** Deletes one. Nothing there is success. */
  void remove(Path volume) throws IOException;

  /** Sets how much may be kept in one. */
  void limit(Path volume, long bytes) throws IOException;

  /** What each takes up, those that are gone left out; may be half a minute old. */
  Map<Path, Usage> usage(List<Path> volumes) throws IOException;

  /** What one takes up now. */
  Usage usageNow(Path volume) throws IOException;

  /** Whether {@link #usage} knows without a look at every file. */
  boolean counts();

  /** Whether limits are held to. */
  boolean enforced();
}
