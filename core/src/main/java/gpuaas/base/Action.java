package gpuaas.base;

/** What can be done, as far as permission goes. */
public enum Action {
  CATALOG_READ,
  SSH_KEY_READ,
  SSH_KEY_WRITE,
  LEASE_READ,
  LEASE_CREATE,
  LEASE_UPDATE,
  LEASE_STOP,
  TERMINAL_OPEN,
  EVENT_READ,
  BILLING_READ,
  BILLING_WRITE,
  WEBHOOK_READ,
  WEBHOOK_WRITE,
  API_KEY_READ,
  API_KEY_WRITE,
  DISK_READ,
  DISK_WRITE
}
