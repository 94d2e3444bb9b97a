package gpuaas.market;

import gpuaas.spi.InstanceRequest;
import gpuaas.spi.Offer;
import java.util.List;
import java.util.Optional;

/**
 * The calls that every market has, in our words. Each is one call to the market, or few; none is
 * repeated by itself, and none remembers anything.
 */
public interface MarketApi extends AutoCloseable {

  /** What can be rented now, cheapest first. */
  List<Offer> offers(int limit);

  /**
   * Rents a machine with this label; its id. Lets this public key in, where the market takes keys
   * with the request.
   */
  String create(InstanceRequest request, MarketLabel label, String publicKey);

  /** Lets this public key in, where that is a call of its own; said twice it is as said once. */
  void attachKey(String machine, String publicKey);

  /** One machine; empty: it is gone. */
  Optional<Machine> show(String machine);

  /** All machines of the account. */
  List<Machine> list();

  /** Ends a machine. True: the market knew it. */
  boolean destroy(String machine);

  @Override
  void close();
}
