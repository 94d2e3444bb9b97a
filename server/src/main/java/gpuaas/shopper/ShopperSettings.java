package gpuaas.shopper;

import java.time.Duration;
import java.util.Optional;

/**
 * The dialect's own settings.
 *
 * @param key that callers must show; empty: anybody on this machine may call
 * @param user in whose name those act who show no API key of their own
 * @param placementWait how long a create waits to hear whether the offer can be had
 * @param destroyWait how long an end waits until the provider confirms that nothing is left
 * @param hardMaximum no session lives longer
 * @param keyType of the pairs that are made for sessions
 * @param keysReady how many pairs are made ahead of time
 */
public record ShopperSettings(
    Optional<String> key,
    String user,
    Duration placementWait,
    Duration destroyWait,
    Duration hardMaximum,
    KeyType keyType,
    int keysReady) {

  /** The kinds of keys. */
  public enum KeyType {
    /** 4096 bits, as PEM; what the documents show. */
    RSA,
    /** As a file of OpenSSH. */
    ED25519
  }

  @Override
  public String toString() {
    return "ShopperSettings[" + user + "]"; // never the key
  }
}
