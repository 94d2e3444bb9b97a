package gpuaas.events;

import gpuaas.db.Tx;
import java.util.List;

/**
 * Somebody who is told of every event: in order for each lease, at least once, and exactly once as
 * far as it writes to the database.
 */
@FunctionalInterface
public interface EventSink {

  /**
   * Takes events in their order. Called in the transaction that marks them as told: what is written
   * with it is written once, and what must be done outside belongs after its commit. An exception
   * means that all of them are told again.
   */
  void take(Tx tx, List<Fed> events);

  /**
   * An event with its place among all.
   *
   * @param position grows in the order in which events are told; no gaps
   * @param number grows in the order in which events were written
   */
  record Fed(long position, long number, Event event) {}
}
