package gpuaas.lease;

import gpuaas.spi.HasNodes;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;

/** The steps of a process, each written down as it is reached; at one of them it kills itself. */
final class Dying {

  private final Path folder;
  private final String killAt;
  private final Function<UUID, String> names;
  private final Map<String, Integer> counts = new HashMap<>();

  /**
   * @param killAt such as {@code after write 2}
   * @param names what steps call a lease; empty: by the kind of step alone
   */
  Dying(Path folder, String killAt, Function<UUID, String> names) {
    this.folder = folder;
    this.killAt = killAt;
    this.names = names;
  }

  /** The real store, with points to die at. */
  LeaseBook book(LeaseStore store) {
    return new DyingBook(store);
  }

  /** The real provider, with points to die at. */
  Provider provider(Provider inner) {
    return new DyingProvider(inner);
  }

  <T> T step(String what, Supplier<T> work) {
    reach("before " + what);
    T result = work.get();
    reach("after " + what);
    return result;
  }

  private synchronized void reach(String point) {
    int count = counts.merge(point, 1, Integer::sum);
    String step = point + " " + count;
    try {
      Files.writeString(
          folder.resolve("steps"),
          step + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
      if (step.equals(killAt)) {
        new ProcessBuilder("kill", "-9", Long.toString(ProcessHandle.current().pid()))
            .start()
            .waitFor();
        throw new IllegalStateException("survived SIGKILL");
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private String named(UUID lease) {
    String name = names.apply(lease);
    return name.isEmpty() ? "" : " " + name;
  }

  private String written(Lease after) {
    String name = named(after.id());
    return name.isEmpty() ? "" : name + " " + after.state().text();
  }

  /** Looking is no point to die at: nothing changes. */
  private final class DyingBook implements LeaseBook {
    private final LeaseStore store;

    DyingBook(LeaseStore store) {
      this.store = store;
    }

    @Override
    public Optional<Lease> find(UUID lease) {
      return store.find(lease);
    }

    @Override
    public Turn place(Lease waiting, Instant now) {
      return step("place" + named(waiting.id()), () -> store.place(waiting, now));
    }

    @Override
    public boolean write(Change change) {
      return step("write" + written(change.after()), () -> store.write(change));
    }

    @Override
    public boolean isKeptNow(Lease lease) {
      return false;
    }

    @Override
    public List<String> authorizedKeys(Lease lease) {
      return List.of();
    }
  }

  private final class DyingProvider implements Provider, HasNodes {
    private final Provider inner;

    DyingProvider(Provider inner) {
      this.inner = inner;
    }

    @Override
    public List<Offer> offers(OfferQuery query) {
      return inner.offers(query);
    }

    @Override
    public InstanceRef create(InstanceRequest request) {
      return step("create" + named(request.tag().lease()), () -> inner.create(request));
    }

    @Override
    public Optional<InstanceStatus> inspect(InstanceRef instance) {
      return step("inspect", () -> inner.inspect(instance));
    }

    @Override
    public void destroy(InstanceRef instance) {
      step(
          "destroy",
          () -> {
            inner.destroy(instance);
            return true;
          });
    }

    @Override
    public List<Owned> list(String deployment) {
      return step("list", () -> inner.list(deployment));
    }

    @Override
    public List<NodeStatus> nodes() {
      return ((HasNodes) inner).nodes();
    }

    @Override
    public void close() {
      inner.close();
    }
  }
}
