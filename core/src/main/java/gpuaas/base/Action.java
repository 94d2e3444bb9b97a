package gpuaas.base;

/** What can be done, as far as permission goes. */
public enum Action {
  CATALOG_READ,
  SSH_KEY_READ,
  SSH_KEY_WRITE,
  LEASE_READ,
  LEASE_CREATE,
  LEASE_STOP,
  TERMINAL_OPEN
}
