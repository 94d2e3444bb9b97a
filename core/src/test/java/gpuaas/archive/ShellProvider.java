package gpuaas.archive;

import gpuaas.spi.ExecChannel;
import gpuaas.spi.ExecRequest;
import gpuaas.spi.HasExec;
import gpuaas.spi.InstanceRef;
import gpuaas.spi.InstanceRequest;
import gpuaas.spi.InstanceStatus;
import gpuaas.spi.Offer;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.Owned;
import gpuaas.spi.Provider;
import gpuaas.spi.ProviderException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Machines that are folders of this one; what runs in them has its home there. */
final class ShellProvider implements Provider, HasExec {

  private final Path homes;

  ShellProvider(Path homes) {
    this.homes = homes;
  }

  @Override
  public ExecChannel exec(InstanceRef instance, ExecRequest request) {
    Path home = homes.resolve(instance.id());
    if (!Files.isDirectory(home)) {
      throw new ProviderException.Unavailable(instance.id() + " does not answer", null);
    }
    ProcessBuilder builder = new ProcessBuilder(request.command()).directory(home.toFile());
    builder.environment().put("HOME", home.toString());
    try {
      return new Shell(builder.start());
    } catch (IOException e) {
      throw new ProviderException.Unavailable("no shell", e);
    }
  }

  private record Shell(Process process) implements ExecChannel {
    @Override
    public OutputStream input() {
      return process.getOutputStream();
    }

    @Override
    public InputStream output() {
      return process.getInputStream();
    }

    @Override
    public InputStream error() {
      return process.getErrorStream();
    }

    @Override
    public void resize(int columns, int rows) {}

    @Override
    public void signal(String name) {}

    @Override
    public int waitFor() throws InterruptedException {
      return process.waitFor();
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }

  @Override
  public List<Offer> offers(OfferQuery query) {
    return List.of();
  }

  @Override
  public InstanceRef create(InstanceRequest request) {
    throw new ProviderException.Rejected("makes no machines");
  }

  @Override
  public Optional<InstanceStatus> inspect(InstanceRef instance) {
    return Optional.empty();
  }

  @Override
  public void destroy(InstanceRef instance) {}

  @Override
  public List<Owned> list(String deployment) {
    return List.of();
  }

  @Override
  public void close() {}
}
