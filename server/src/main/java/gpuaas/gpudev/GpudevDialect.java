package gpuaas.gpudev;

import gpuaas.access.Guests;
import gpuaas.access.SshKeys;
import gpuaas.base.Caller;
import gpuaas.base.Ids;
import gpuaas.base.Refusal;
import gpuaas.capacity.Cluster;
import gpuaas.command.Commands;
import gpuaas.db.Database;
import gpuaas.disk.Disks;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.gpudev.wire.Model;
import gpuaas.http.Dialect;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.Identities;
import gpuaas.idp.Credentials;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.Leases;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Jobs with an end over the core: the dialect of the GPU Dev API documents. */
public final class GpudevDialect implements Dialect, AutoCloseable {

  /** Whose body is read before it is known who asks, as the original does. */
  private static final Pattern WITH_BODY =
      Pattern.compile(
          "/v1/(jobs/submit|jobs/[^/]+/(extend|users|ports)|disks|disks/[^/]+/(rename|clone)|auth/.*)");

  private final LogInDoor logIn;
  private final GpudevAuth auth;
  private final List<Route> routes;

  /**
   * The dialect's own settings.
   *
   * @param defaultImage for jobs that name none; empty: they must
   * @param images which jobs run in the image that they name; others run in the default environment
   *     of their machine
   * @param keyLifetime of keys that are given for a log-in
   * @param totalMost from when it runs to its end, with all that it was extended by
   * @param ending what a job's owner is told before its end, and how long it goes on after it
   * @param queueMost how long a job waits for room before it is given up
   * @param fetchMost how long a job may take to come up when its image has to be fetched
   * @param cancelsKept for how long a cancel is remembered that came before its job
   * @param priorityMost of what anybody may ask for; administrators may ask for more
   * @param endsWithCommand true: a job that does not say otherwise is over when its command is
   * @param followsMost who may follow the output of commands at once, in all
   * @param followsMostPerUser the same, of one user
   */
  public record GpudevSettings(
      Optional<String> defaultImage,
      Images images,
      Duration keyLifetime,
      Duration totalMost,
      LeaseSpec.Ending ending,
      Duration queueMost,
      Duration fetchMost,
      Duration cancelsKept,
      int priorityMost,
      boolean endsWithCommand,
      int followsMost,
      int followsMostPerUser) {}

  /** Which images are fetched. */
  public enum Images {
    /** None. */
    NONE,
    /** Those that say which registry they are from; a plain name is anybody's. */
    NAMED,
    /** All; a plain name is of the public registry. */
    ALL;

    /** Whether this one is. */
    boolean fetches(String image) {
      int slash = image.indexOf('/');
      String first = slash < 0 ? "" : image.substring(0, slash);
      boolean named = first.contains(".") || first.contains(":") || first.equals("localhost");
      return this == ALL || (this == NAMED && named);
    }
  }

  /** What the dialect speaks about. */
  public record Parts(
      GpudevSettings settings,
      Database database,
      Identities identities,
      Credentials credentials,
      ApiKeys apiKeys,
      LogInDoor logIn,
      SshKeys sshKeys,
      Guests guests,
      Disks disks,
      Leases leases,
      WebJobs web,
      Commands commands,
      Ids ids,
      InstantSource clock) {}

  public GpudevDialect(Parts parts) {
    this.logIn = parts.logIn();
    this.auth = new GpudevAuth(parts.credentials());
    Extensions extensions = new Extensions();
    EarlyCancels earlyCancels = new EarlyCancels(parts.settings().cancelsKept());
    Jobs jobs = new Jobs(parts.leases());
    this.routes =
        Stream.of(
                new InfoRoutes(parts.database(), parts.clock()).routes(),
                new DocumentRoutes().routes(),
                new KeyRoutes(parts).routes(),
                new JobRoutes(parts, jobs, extensions, earlyCancels).routes(),
                new JobActions(parts, jobs, extensions, earlyCancels).routes(),
                new WebRoutes(parts, jobs).routes(),
                new LogRoutes(parts, jobs, auth::caller).routes(),
                new DiskRoutes(parts.database(), parts.disks()).routes(),
                new ClusterRoutes(new Cluster(parts.database()), parts.leases(), parts.clock())
                    .routes())
            .flatMap(List::stream)
            .toList();
  }

  @Override
  public String name() {
    return "gpudev";
  }

  @Override
  public List<Route> routes() {
    return routes;
  }

  @Override
  public Caller authenticate(Request request) {
    if (!request.method().equals("GET") && WITH_BODY.matcher(request.path()).matches()) {
      Model.refuseBrokenJson(request);
    }
    return auth.caller(request);
  }

  @Override
  public Reply refused(Refusal refusal, String correlationId) {
    return GpudevErrors.refused(refusal);
  }

  @Override
  public Reply misdirected(int status, String correlationId) {
    return GpudevErrors.misdirected(status);
  }

  @Override
  public Reply crashed(String correlationId) {
    return GpudevErrors.error(500, "Internal Server Error");
  }

  @Override
  public List<String> correlationHeaders() {
    return List.of("X-Request-ID");
  }

  @Override
  public boolean refusesOddCorrelationId() {
    return false;
  }

  @Override
  public boolean answersHead() {
    return false;
  }

  @Override
  public boolean redirectsSlashes() {
    return true;
  }

  @Override
  public void close() {
    logIn.close();
  }

  /** None: a job's own id is what makes asking twice harmless. */
  @Override
  public List<String> idempotencyHeaders() {
    return List.of();
  }
}
