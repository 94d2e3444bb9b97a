package gpuaas.spi.gang;

/**
 * A provider whose instances can reach each other, on whatever nodes they are. It puts the names
 * {@code node-0} to {@code node-<size - 1>} of all members into each member's {@code /etc/hosts},
 * so that they hold from before the first process of the user's begins, and lets only members of
 * one gang reach each other by them.
 */
public interface HasGangs {}
