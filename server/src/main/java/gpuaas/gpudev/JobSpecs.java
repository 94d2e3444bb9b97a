package gpuaas.gpudev;

import gpuaas.catalog.Want;
import gpuaas.disk.Disk;
import gpuaas.gpudev.GpudevDialect.GpudevSettings;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.spi.InstanceRequest.Launch;
import gpuaas.spi.Tier;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** A job in the words of leases. */
final class JobSpecs {

  // What is written on a lease, to be shown again.
  static final String ID = "job_id";
  static final String GPU_TYPE = "gpu_type";
  static final String INSTANCE_TYPE = "instance_type";
  static final String GITHUB_USER = "github_user";
  static final String IMAGE = "image";
  static final String DISK = "disk_name";
  static final String WARNING = "warning";

  private JobSpecs() {}

  /**
   * @param keys ids of the caller's registered keys
   * @param disk its home folder
   * @param warning what its owner should know; empty: nothing
   */
  static LeaseSpec of(
      JobRequest asked,
      List<UUID> keys,
      Optional<Disk> disk,
      String warning,
      GpudevSettings settings) {
    Want want =
        new Want(
            "",
            GpuTypes.model(asked.gpuType()),
            Math.max(1, asked.gpuCount()),
            Optional.empty(),
            Tier.ON_DEMAND);
    boolean fetched = settings.images().fetches(asked.image());
    return new LeaseSpec(
        disk.map(Disk::provider).map(want::at).orElse(want),
        fetched ? asked.image() : "",
        keys,
        List.of(),
        asked.variables(),
        Launch.PLAIN,
        Optional.of(asked.term()),
        false,
        fetched ? Optional.of(settings.fetchMost()) : Optional.empty(),
        LeaseSpec.WhenFull.QUEUE,
        settings.queueMost(),
        Guards.NONE,
        disk.map(Disk::id),
        Optional.empty(),
        notes(asked, disk, warning),
        Optional.empty(),
        Optional.of(asked.command())
            .filter(text -> !text.isBlank())
            .map(text ->
                new LeaseSpec.Command(text, asked.endsWithCommand(settings.endsWithCommand()))),
        settings.ending(),
        Optional.empty(),
        asked.priority());
  }

  private static Map<String, String> notes(JobRequest asked, Optional<Disk> disk, String warning) {
    Map<String, String> notes = new HashMap<>();
    asked.shownId().ifPresent(id -> notes.put(ID, id));
    notes.put(GPU_TYPE, asked.gpuType());
    notes.put(INSTANCE_TYPE, asked.instanceType());
    notes.put(GITHUB_USER, asked.githubUser());
    notes.put(IMAGE, asked.image());
    disk.ifPresent(one -> notes.put(DISK, one.name()));
    if (!warning.isEmpty()) {
      notes.put(WARNING, warning);
    }
    return notes;
  }
}
