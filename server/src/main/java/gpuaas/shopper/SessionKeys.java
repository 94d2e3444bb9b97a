package gpuaas.shopper;

import gpuaas.access.KeyPairs;
import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.shopper.ShopperDialect.ShopperSettings.KeyType;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Pairs of keys for sessions, made ahead of time, so that nobody waits for one. They are in memory
 * only, each is given out once, and then forgotten. One thread makes them: however many sessions
 * are asked for, no more than one processor is busy with that.
 */
final class SessionKeys implements AutoCloseable {

  private static final String COMMENT = "session";
  private static final Duration WAIT_MOST = Duration.ofSeconds(30);
  private static final Duration COME_AGAIN = Duration.ofSeconds(10);

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

  /** A pair that nobody else has; refused when too many wait for one. */
  KeyPairs.Pair next() {
    try {
      KeyPairs.Pair pair = ready.poll(WAIT_MOST.toMillis(), TimeUnit.MILLISECONDS);
      if (pair != null) {
        return pair;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw new Refused(new Refusal.NotReady("a key for the session in time", COME_AGAIN));
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
