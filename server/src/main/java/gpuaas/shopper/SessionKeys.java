package gpuaas.shopper;

import gpuaas.access.KeyPairs;
import gpuaas.shopper.ShopperDialect.ShopperSettings.KeyType;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;

/**
 * Pairs of keys for sessions, some of them made ahead of time, so that nobody waits for one. They
 * are in memory only, each is given out once, and then forgotten.
 */
final class SessionKeys implements AutoCloseable {

  private static final String COMMENT = "session";

  private final KeyType type;
  private final BlockingQueue<KeyPairs.Pair> ready;
  private final Thread maker;

  SessionKeys(KeyType type, int ready) {
    this.type = type;
    this.ready = new ArrayBlockingQueue<>(ready);
    this.maker = Thread.ofPlatform().daemon().name("session-keys").unstarted(this::makeAhead);
    maker.start();
  }

  private void makeAhead() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        ready.put(make());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  /** A pair that nobody else has. */
  KeyPairs.Pair next() {
    KeyPairs.Pair pair = ready.poll();
    return pair == null ? make() : pair;
  }

  private KeyPairs.Pair make() {
    return switch (type) {
      case RSA -> KeyPairs.makeRsa(COMMENT);
      case ED25519 -> KeyPairs.make(COMMENT);
    };
  }

  @Override
  public void close() {
    maker.interrupt();
  }
}
