package gpuaas.gpudev;

import gpuaas.catalog.Want;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.spi.InstanceRequest.Launch;
import gpuaas.spi.Tier;
import java.time.Duration;
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

  private JobSpecs() {}

  /**
   * @param keys ids of the caller's registered keys
   */
  static LeaseSpec of(JobRequest asked, List<UUID> keys) {
    return new LeaseSpec(
        new Want(
            "",
            GpuTypes.model(asked.gpuType()),
            asked.gpuCount(),
            Optional.empty(),
            Tier.ON_DEMAND),
        "",
        keys,
        List.of(),
        asked.variables(),
        Launch.PLAIN,
        Optional.of(asked.term()),
        false,
        Optional.empty(),
        LeaseSpec.WhenFull.QUEUE,
        Duration.ZERO,
        Guards.NONE,
        Optional.empty(),
        notes(asked),
        Optional.empty());
  }

  private static Map<String, String> notes(JobRequest asked) {
    Map<String, String> notes = new HashMap<>();
    asked.shownId().ifPresent(id -> notes.put(ID, id));
    notes.put(GPU_TYPE, asked.gpuType());
    notes.put(INSTANCE_TYPE, asked.instanceType());
    notes.put(GITHUB_USER, asked.githubUser());
    notes.put(IMAGE, asked.image());
    return notes;
  }
}
