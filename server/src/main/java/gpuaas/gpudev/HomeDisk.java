package gpuaas.gpudev;

import gpuaas.base.Caller;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.db.Tx;
import gpuaas.disk.Disk;
import gpuaas.disk.Disks;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.http.Halt;
import java.util.Optional;

/**
 * The disk that a job gets as its home folder: the one it names, or else {@code default}. What was
 * named must be had; without {@code default} a job can do.
 *
 * @param disk empty: none, its home folder ends with it
 * @param warning what its owner should know; empty: nothing
 */
record HomeDisk(Optional<Disk> disk, String warning) {

  private static final String DEFAULT = "default";
  private static final String NO_DISK = "none";
  private static final int GB_BITS = 30;

  static HomeDisk of(Tx tx, Caller caller, JobRequest asked, Disks disks) {
    Optional<String> name = asked.diskName().map(String::strip).filter(text -> !text.isEmpty());
    boolean none = name.filter(NO_DISK::equalsIgnoreCase).isPresent();
    if (none || "true".equalsIgnoreCase(asked.variables().get("NO_PERSISTENT_DISK"))) {
      return new HomeDisk(Optional.empty(), "");
    }
    Optional<Long> size = asked.diskGb().map(gb -> (long) gb << GB_BITS);
    if (name.isPresent()) {
      if (!Disks.NAME.matcher(name.get()).matches()) {
        throw new Halt(
            GpudevErrors.error(
                400, "Disk name must contain only letters, numbers, hyphens, and underscores"));
      }
      return of(disks.attach(tx, caller, name.get(), size), disks);
    }
    if (disks.keeper().isEmpty()) {
      return new HomeDisk(Optional.empty(), "");
    }
    try {
      return of(disks.attach(tx, caller, DEFAULT, size), disks);
    } catch (Refused no) {
      return new HomeDisk(Optional.empty(), "no persistent disk: " + why(no.refusal()));
    }
  }

  private static HomeDisk of(Disk disk, Disks disks) {
    long together = disks.keeper().map(Disks.Keeper::largestBytes).orElse(Long.MAX_VALUE);
    return new HomeDisk(
        Optional.of(disk),
        disk.sizeBytes() <= together
            ? ""
            : "disk '"
                + disk.name()
                + "' may grow to "
                + (disk.sizeBytes() >> GB_BITS)
                + " GB, and its machine has "
                + (together >> GB_BITS)
                + " GB for all disks together");
  }

  private static String why(Refusal no) {
    return switch (no) {
      case Refusal.WrongState state -> "disk '" + DEFAULT + "' is " + state.state();
      case Refusal.TooMany many -> "there are " + many.limit() + " already";
      default -> "disk '" + DEFAULT + "' cannot be had";
    };
  }
}
