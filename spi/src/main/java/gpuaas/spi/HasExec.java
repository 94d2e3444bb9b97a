package gpuaas.spi;

/**
 * A provider that can start a process inside an instance: shells, files and probes need no SSH
 * server there.
 */
public interface HasExec {

  /** Starts a process. The channel must be closed; closing it ends the process. */
  ExecChannel exec(InstanceRef instance, ExecRequest request);
}
