package gpuaas.spi;

import java.util.List;
import java.util.Optional;

/**
 * A place that has GPUs. All calls block; the caller limits their number and their time, and calls
 * from many threads at once. Every method may throw any {@link ProviderException}.
 */
public interface Provider extends AutoCloseable {

  /** What could be rented now. May be minutes old; {@link #create} is where it becomes true. */
  List<Offer> offers(OfferQuery query);

  /**
   * Asks for an instance, and returns as soon as the provider has named it; does not wait for it to
   * start. Must put {@code request.tag()} where {@link #list} can read it back.
   *
   * @throws ProviderException.Unavailable only when surely nothing happened
   * @throws ProviderException.OutcomeUnknown when an instance may exist
   */
  InstanceRef create(InstanceRequest request);

  /** Empty: it is gone. A provider that could not be asked throws instead. */
  Optional<InstanceStatus> inspect(InstanceRef instance);

  /**
   * Returns when the provider has accepted. Already gone is success. Will be called again until
   * {@link #inspect} is empty.
   */
  void destroy(InstanceRef instance);

  /**
   * Everything that carries this deployment's tag, whatever its state. The orphan sweep lives on
   * this.
   */
  List<Owned> list(String deployment);

  /** Ends the connection to the provider. Instances go on running. */
  @Override
  void close();
}
