package gpuaas.spi.market;

import gpuaas.spi.InstanceRef;
import gpuaas.spi.Money;
import java.time.Instant;
import java.util.List;

/** A market that tells what it has charged for each machine. */
public interface HasCharges {

  /**
   * What was charged for machines in this time, each machine once. Markets book by days that begin
   * at 00:00 UTC: days that are only partly in this time are in it as a whole. Machines that are
   * not ours, of the same account, may be among them.
   */
  List<Charge> charges(Instant from, Instant until);

  /** What was charged for one machine in the time that was asked for: GPUs, disk and traffic. */
  record Charge(InstanceRef instance, Money amount) {}
}
